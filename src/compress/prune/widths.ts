import { InputError } from '../../base/errors.js';
import { allocate, type BlockCost } from './allocation.js';
import type { PruneOptions } from './options.js';

/**
 * The widths that a ratio asks for.
 *
 * @param sizes - the widths as they are
 * @param options - the ratio, and what a refusal names
 * @param byRatio - the widths that remove a share of the neurons
 * @throws InputError when nothing would be left
 */
export function chosenWidths(
  sizes: readonly number[],
  options: PruneOptions,
  byRatio: (ratio: number) => readonly number[] | undefined,
): readonly number[] {
  // The schema lets exactly one of ratio and budget through.
  const ratio = options.ratio!;
  const widths = byRatio(ratio);
  if (widths === undefined) throw nothingLeft(ratio, sizes, options);
  return widths;
}

/**
 * The widths that remove a share of all neurons.
 *
 * @param sizes - the widths as they are
 * @param ratio - the share
 * @param multiple - widths are multiples of this
 * @param costs - what narrowing each block costs; undefined removes the same share of each
 * @returns undefined when a block would have nothing left
 */
export function widthsOfRatio(
  sizes: readonly number[],
  ratio: number,
  multiple: number,
  costs: readonly BlockCost[] | undefined,
): readonly number[] | undefined {
  const share = 1 - ratio;
  if (costs === undefined) {
    // A block that is no wider than one step stays as it is, as in a global allocation.
    const widths = sizes.map((size) =>
      size <= multiple ? size : Math.min(size, Math.round((size * share) / multiple) * multiple),
    );
    return widths.includes(0) || sizes.every((size) => size <= multiple) ? undefined : widths;
  }
  const total = sizes.reduce((sum, size) => sum + size, 0);
  return allocate(costs, Math.round((total * share) / multiple) * multiple, multiple);
}

function nothingLeft(
  ratio: number,
  sizes: readonly number[],
  { multiple, allocation }: Pick<PruneOptions, 'multiple' | 'allocation'>,
): InputError {
  const neurons =
    allocation === 'uniform' ? Math.min(...sizes) : sizes.reduce((total, size) => total + size, 0);
  return new InputError({
    source: 'recipe',
    place: 'prune.ratio',
    found: `${ratio}, which leaves fewer than ${multiple} of ${neurons} neurons`,
    expected: `a ratio that leaves every block at least ${multiple} neurons`,
    hint: 'With a smaller "multiple" blocks can become narrower.',
  });
}
