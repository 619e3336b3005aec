import { permutation, seededRandom } from '../../base/random.js';
import type { LabelledItem } from '../images/item.js';

/** Determines which images are kept for the test: the same ones on every machine. */
const HOLDOUT_SEED = 1;

/**
 * Images in an order that takes the classes in turn, each in its own order: the first so many of it show every class.
 *
 * @param items - the images, in any order
 */
export function inTurn<Item extends Pick<LabelledItem, 'label'>>(items: readonly Item[]): Item[] {
  const classes = byClass(items);
  const longest = classes.reduce((most, those) => Math.max(most, those.length), 0);
  const order: Item[] = [];
  for (let place = 0; place < longest; place++)
    for (const those of classes) {
      const item = those[place];
      if (item !== undefined) order.push(item);
    }
  return order;
}

/**
 * Keeps a share of each class for the test, at least one image.
 *
 * @param items - all images
 * @param holdout - the share
 */
export function heldOut<Item extends Pick<LabelledItem, 'label'>>(
  items: readonly Item[],
  holdout: number,
): { readonly train: readonly Item[]; readonly test: readonly Item[] } {
  const random = seededRandom(HOLDOUT_SEED);
  const [train, test]: [Item[], Item[]] = [[], []];
  for (const those of byClass(items)) {
    const kept = new Set(
      permutation(those.length, random).slice(0, Math.max(1, Math.round(those.length * holdout))),
    );
    for (const [index, item] of those.entries()) (kept.has(index) ? test : train).push(item);
  }
  return { train, test };
}

function byClass<Item extends Pick<LabelledItem, 'label'>>(items: readonly Item[]): Item[][] {
  const classes = new Map<number, Item[]>();
  for (const item of items) {
    const those = classes.get(item.label);
    if (those) those.push(item);
    else classes.set(item.label, [item]);
  }
  return [...classes.entries()].sort(([a], [b]) => a - b).map(([, those]) => those);
}
