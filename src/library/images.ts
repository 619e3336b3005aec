import type { OpenedData } from '../data/kind.js';
import type { Leak } from '../data/sets/findings.js';
import { locateData } from '../run/locate-data.js';
import type { SuiteData } from '../suite/data.js';

/** What is told while images are opened. */
export type ImagesEvent =
  /** Images of a user's own are looked at, which happens once. */
  | {
      readonly kind: 'opening-images';
      /** Of the images. */
      readonly name: string;
      /** From 0 to 1. */
      readonly done: number;
      /** What is being done, in words. */
      readonly text: string;
    }
  /** Training images are left out because they are test images, too. */
  | { readonly kind: 'leaks'; readonly name: string; readonly leaks: readonly [Leak, ...Leak[]] };

/** How images are opened. */
interface ImagesOptions {
  /** Where they lie, if not where they are looked for. */
  readonly given: string | undefined;
  /** Whether to look at each again though no file has changed. */
  readonly again?: boolean;
  readonly signal: AbortSignal;
  readonly emit: (event: ImagesEvent) => void;
}

/**
 * Opens the images of a suite or of a name.
 *
 * @param images - what a suite says, or a name alone
 * @param options - where they lie, who is told
 * @throws InputError when they are not there, or cannot be used
 */
export async function openImages(
  { name, path, declared }: Pick<SuiteData, 'name'> & Partial<SuiteData>,
  { given, again = false, signal, emit }: ImagesOptions,
): Promise<OpenedData> {
  const data = await locateData(name, path, given, {
    ...{ declared, signal, again },
    onProgress: (done, text) => {
      emit({ kind: 'opening-images', name, done, text });
    },
  });
  const [first, ...others] = data.findings?.leaks ?? [];
  if (first !== undefined) emit({ kind: 'leaks', name, leaks: [first, ...others] });
  return data;
}
