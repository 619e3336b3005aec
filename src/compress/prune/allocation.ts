/** What narrowing one block costs. */
export interface BlockCost {
  /** Neurons the block has. */
  readonly neurons: number;
  /** `loss[width]` for every width from 0 to `neurons`, in a unit that all blocks share. */
  readonly loss: Float64Array;
}

/**
 * Chooses a width for each block so that the sum of losses is least among all choices whose widths are multiples of
 * `multiple` (or the full width), lie between `multiple` and `cap`, and sum to at most `total`: exact, by dynamic
 * programming over the blocks.
 *
 * @param blocks - the cost of each block
 * @param total - neurons that may stay over all blocks
 * @param multiple - widths are multiples of this
 * @param cap - no block is wider than this
 * @returns the widths; undefined when even the narrowest do not fit
 */
export function allocate(
  blocks: readonly BlockCost[],
  total: number,
  multiple: number,
  cap = Infinity,
): number[] | undefined {
  const units = Math.floor(total / multiple);
  let best = new Float64Array(units + 1);
  const choices: Int32Array[] = [];
  for (const block of blocks) {
    const next = new Float64Array(units + 1).fill(Infinity);
    const choice = new Int32Array(units + 1).fill(-1);
    for (const width of widthsOf(block.neurons, multiple, cap)) {
      const cost = Math.ceil(width / multiple);
      for (let used = cost; used <= units; used++) {
        const loss = best[used - cost]! + block.loss[width]!;
        if (loss < next[used]!) {
          next[used] = loss;
          choice[used] = width;
        }
      }
    }
    best = next;
    choices.push(choice);
  }
  if (best[units] === Infinity) return undefined;
  const widths: number[] = [];
  let left = units;
  for (const choice of choices.reverse()) {
    const width = choice[left]!;
    widths.unshift(width);
    left -= Math.ceil(width / multiple);
  }
  return widths;
}

/** The widths a block may have, narrowest first. */
export function widthsOf(neurons: number, multiple: number, cap = Infinity): number[] {
  const widths: number[] = [];
  for (let width = multiple; width < neurons; width += multiple) widths.push(width);
  widths.push(neurons);
  return widths.filter((width) => width <= cap);
}
