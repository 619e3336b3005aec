import type { Work } from '../dataset.js';
import type { LabelledItem } from '../images/item.js';

/** How a declared set is opened. */
export interface OpenOptions extends Work {
  /** Unpack and look at every image again, though no file has changed. */
  readonly again?: boolean;
}

/** What was found of a declared set before any image is looked at. */
export interface Collected {
  /** Names of the classes in the order of the labels. */
  readonly labels: readonly string[];
  readonly splits: Splits<readonly LabelledItem[]>;
  /** Files that are no images by their names, by suffix. */
  readonly ignored: ReadonlyMap<string, number>;
}

/** Something of each split; or of all images, where a share is still to be taken for the test. */
export type Splits<Of> =
  | { readonly kind: 'declared'; readonly train: Of; readonly test: Of }
  | { readonly kind: 'one'; readonly all: Of };

/**
 * Does the same for each split, one after the other.
 *
 * @param splits - something of each
 * @param of - what becomes of it
 */
export async function eachSplit<From, To>(
  splits: Splits<From>,
  of: (from: From) => To | Promise<To>,
): Promise<Splits<To>> {
  if (splits.kind === 'one') return { kind: 'one', all: await of(splits.all) };
  return { kind: 'declared', train: await of(splits.train), test: await of(splits.test) };
}

/**
 * What there is of all splits, that of the training images first.
 *
 * @param splits - a list of each
 */
export function ofAllSplits<Item>(splits: Splits<readonly Item[]>): readonly Item[] {
  return splits.kind === 'one' ? splits.all : [...splits.train, ...splits.test];
}

/**
 * Compares names as Python sorts texts: by code points.
 *
 * @param a - a name
 * @param b - another
 */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
