import { seededRandom, shuffled } from '../base/random.js';
import { timedRounds, type TimedRound } from '../store/timed-rounds.js';
import { hasFailed, type AddedRound, type Cell } from './cell.js';
import type { RunState } from './run-state.js';
import { stoppingOf, type StoppingRule } from './stopping.js';

/** A baseline and the variants that are compared with it: cells of one model, device and batch size. */
export interface ComparedCells {
  readonly baseline: Cell;
  readonly variants: readonly Cell[];
}

/**
 * The comparisons of a run: of each timed fp32 that there is something to compare with.
 *
 * @param cells - of the run
 */
export function comparisonsOf(cells: readonly Cell[]): ComparedCells[] {
  const timed = cells.filter(({ scenario }) => scenario.kind === 'performance');
  return timed
    .filter(({ subject }) => subject.variant.isBaseline)
    .map((baseline) => ({ baseline, variants: timed.filter((cell) => isComparedWith(cell, baseline)) }))
    .filter(({ variants }) => variants.length > 0);
}

function isComparedWith({ subject, scenario }: Cell, { subject: own, scenario: { batch } }: Cell): boolean {
  return (
    subject.session === own.session &&
    scenario.batch === batch &&
    !subject.variant.isBaseline &&
    subject.variant.planned.model === own.variant.planned.model
  );
}

/**
 * The next added round of comparisons that are driven together. Cells whose comparison needs no more are ended; those that do
 * have a turn each, and their baselines with them, in random order. Which cells and which order follow from the suite's seed and
 * the rounds before this one alone, so that an interrupted run goes on as it would have gone.
 *
 * @param state - of the run
 * @param comparisons - that are open
 * @param rule - when one has been measured for long enough
 * @param round - its number, the same for all cells
 * @param seed - the suite's
 * @returns nothing when no comparison needs another round
 */
export async function addedRound(
  state: RunState,
  comparisons: readonly ComparedCells[],
  rule: StoppingRule,
  round: number,
  seed: number,
): Promise<AddedRound[]> {
  const before = ({ id }: Cell): Promise<TimedRound[]> => timedRounds(state.db, id, round);
  const turns: Cell[] = [];
  for (const { baseline, variants } of comparisons) {
    const open = variants.filter(({ status }) => status === 'pending');
    if (hasFailed(baseline)) {
      // Nothing is left to be compared with: the suite's rounds must do.
      for (const cell of open) await state.end(cell);
      continue;
    }
    const ofBaseline = open.length > 0 ? await before(baseline) : [];
    const needing: Cell[] = [];
    for (const cell of open) {
      const stopping = stoppingOf(ofBaseline, await before(cell), rule);
      if (stopping) await state.end(cell, stopping);
      else needing.push(cell);
    }
    if (needing.length > 0) turns.push(baseline, ...needing);
    else if (baseline.status === 'pending') await state.end(baseline);
  }
  for (const cell of turns) await state.expect(cell, round + 1);
  // What is beyond 32 bits makes another stream of the same seed.
  const random = seededRandom(seed + 2 ** 32 * (round + 1));
  return shuffled(turns, random).map((cell) => ({ cell, round }));
}
