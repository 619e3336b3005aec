import { permutation, seededRandom } from '../base/random.js';
import { storedSamples } from '../store/read.js';
import type { Db } from '../store/open.js';
import type { CellRow } from '../store/tables.js';
import type { Plan, PlannedRound } from '../suite/plan.js';
import type { Standing } from './standing.js';
import { stoppingOf, type StoppingRule } from './stopping.js';

/** A baseline and the variants that are compared with it: cells of one model, device and batch size, by index. */
export interface Comparison {
  readonly baseline: number;
  readonly variants: readonly number[];
}

/**
 * The comparisons of a plan: of each timed fp32 that there is something to compare with.
 *
 * @param plan - whose first recipe is fp32
 */
export function comparisonsOf({ suite, variants, cells }: Plan): Comparison[] {
  const isBaseline = (variant: number): boolean => variants[variant]!.recipe === suite.recipes[0];
  const timed = [...cells.keys()].filter((cell) => cells[cell]!.scenario.kind === 'performance');
  return timed
    .filter((cell) => isBaseline(cells[cell]!.variant))
    .map((baseline) => {
      const own = cells[baseline]!;
      const compared = timed.filter((cell) => {
        const { variant, device, scenario } = cells[cell]!;
        const alike = device === own.device && scenario.batch === own.scenario.batch;
        return alike && !isBaseline(variant) && variants[variant]!.model === variants[own.variant]!.model;
      });
      return { baseline, variants: compared };
    })
    .filter(({ variants: compared }) => compared.length > 0);
}

/**
 * The next added round of comparisons that are driven together. Cells whose comparison needs no more are ended; those that do
 * have a turn each, and their baselines with them, in random order. Which cells and which order follow from the suite's seed and
 * the rounds before this one alone, so that an interrupted run goes on as it would have gone.
 *
 * @param round - its number, the same for all cells
 * @returns nothing when no comparison needs another round
 */
export async function addedRound(
  { db, plan, cells }: { readonly db: Db; readonly plan: Plan; readonly cells: readonly CellRow[] },
  standing: Standing,
  comparisons: readonly Comparison[],
  rule: StoppingRule,
  round: number,
): Promise<PlannedRound[]> {
  const before = async (cell: number): Promise<Map<number, readonly number[]>> =>
    storedSamples(db, cells[cell]!.id, round);
  const turns: number[] = [];
  for (const { baseline, variants } of comparisons) {
    const open = variants.filter((cell) => standing.isPending(cell));
    if (standing.hasFailed(baseline)) {
      // Nothing is left to be compared with: the suite's rounds must do.
      for (const cell of open) await standing.end(cell);
      continue;
    }
    const ofBaseline = open.length > 0 ? await before(baseline) : new Map<number, readonly number[]>();
    const needing: number[] = [];
    for (const cell of open) {
      const stopping = stoppingOf(ofBaseline, await before(cell), rule);
      if (stopping) await standing.end(cell, stopping);
      else needing.push(cell);
    }
    if (needing.length > 0) turns.push(baseline, ...needing);
    else if (standing.isPending(baseline)) await standing.end(baseline);
  }
  for (const cell of turns) await standing.expect(cell, round + 1);
  // What is beyond 32 bits makes another stream of the same seed.
  const random = seededRandom(plan.suite.seed + 2 ** 32 * (round + 1));
  return permutation(turns.length, random).map((index) => ({ cell: turns[index]!, round }));
}
