/** What was seen of a user's images when they were opened. */
export interface Findings {
  /** Files that are no images by their names, by suffix. */
  readonly ignored: readonly { readonly suffix: string; readonly files: number }[];
  /** Whether every image was looked at; of very large sets only the files' sums are compared. */
  readonly looked: boolean;
  /** Training images that are test images, too: they are left out. */
  readonly leaks: readonly Leak[];
}

/** A training image that is also a test image. */
export interface Leak {
  readonly kind: 'same bytes' | 'looks alike';
  readonly train: string;
  readonly test: string;
}
