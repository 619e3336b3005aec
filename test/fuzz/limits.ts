/** What one input may take of the processor. */
export const MAX_SECONDS = 1;

/** What a process with all its inputs may have resident. */
export const MAX_RSS_BYTES = 768 * 2 ** 20;

/** V8's own limit on its heap. */
export const MAX_HEAP_MIB = 512;

/** How a parser failed. */
export interface Failure {
  readonly kind: 'crash' | 'beyond bounds' | 'killed';
  /** Where fast-check finds the input again, from the seed. */
  readonly path: string;
  /** The smallest input that still fails. */
  readonly input: string;
  readonly error: string;
}

/** How one seed of one parser went. */
export interface BatchResult {
  readonly inputs: number;
  /** The most that its process had resident. */
  readonly peakBytes: number;
  readonly failure?: Failure;
}
