import { mean } from 'simple-statistics';
import { phaseMemory, modelPhases, type ModelPhase, type PhaseMemory } from '../../protocol/peak.js';
import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import { pairedRatio } from '../../stats/ratio.js';
import type { StoredCell, StoredRound } from '../../store/read.js';

/** Memory of a cell in bytes, each figure over the rounds as `typicalPeak` takes it. */
export interface MemoryFigures {
  /** Peak of loading the model and of its first run, over the runtime's base: see `phaseMemory`. */
  readonly peak: number;
  /** The same with its interval. */
  readonly estimate: Estimate;
  /** The same with the least and the most that a round took: see `peakRange`. */
  readonly range: Estimate;
  /** Peak of the process in these phases. */
  readonly rawPeak: number;
  /** Resident before the model is loaded. */
  readonly base: number;
  /** Peak over the base in each phase. */
  readonly byPhase: ReadonlyMap<ModelPhase, number>;
  /** Whether the device could tell each phase's peak apart; if not, a phase's peak is that since the process began. */
  readonly peaksAreOfPhases: boolean;
  /**
   * Share by which the peak is below the baseline's, round by round; undefined for the baseline, and where one of the two is not
   * above the runtime's base.
   */
  readonly reduction: number | undefined;
}

/**
 * The memory of a cell.
 *
 * @param cell - a done cell of performance
 * @param baseline - the baseline's cell at the same batch size; undefined when there is none, or when the cell is the
 *   baseline's
 * @returns undefined when the device does not tell
 */
export function memoryOf(cell: StoredCell, baseline: StoredCell | undefined): MemoryFigures | undefined {
  const rounds = cell.rounds.map(memoryOfRound).filter((each) => each !== undefined);
  if (rounds.length === 0) return undefined;
  const own = peaksByRound(cell);
  const peaks = [...own.values()];
  const estimate = typicalPeak(peaks);
  const over = (figure: (round: PhaseMemory) => number | undefined): number | undefined => {
    const values = rounds.map(figure).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : typicalPeak(values).value;
  };
  return {
    ...{ peak: estimate.value, estimate },
    range: peakRange(peaks),
    rawPeak: typicalPeak(rounds.map(({ rawPeak }) => rawPeak)).value,
    base: typicalPeak(rounds.map(({ base }) => base)).value,
    byPhase: new Map(
      modelPhases.flatMap((phase) => {
        const bytes = over(({ byPhase }) => byPhase.get(phase));
        return bytes === undefined ? [] : [[phase, bytes] as const];
      }),
    ),
    peaksAreOfPhases: cell.rounds.every(({ row }) => row.peak_is_of_phase === 1),
    reduction: baseline && reductionOf(own, peaksByRound(baseline)),
  };
}

/**
 * The peak of a cell: the geometric mean over its rounds with Student's 95 % interval, as its latency is. Of a cell with more
 * rounds the largest peak is larger by that alone, and the number of rounds is not the same for all cells; and the ratio of two
 * geometric means is the mean ratio by which runs are compared, so that what a table says agrees with what a comparison says.
 * Where a round took no more than the runtime's base there is no geometric mean: then it is the mean and the range.
 *
 * @param peaks - of each round, at least one, in bytes
 */
export function typicalPeak(peaks: readonly number[]): Estimate {
  if (peaks.every((peak) => peak > 0)) return geometricMean(peaks);
  return { value: mean([...peaks]), low: Math.min(...peaks), high: Math.max(...peaks) };
}

/**
 * The peak of a cell with the least and the most that a round took. It is what a limit in bytes is held against: what does not fit
 * once does not fit, whatever the average is.
 *
 * @param peaks - of each round, at least one, in bytes
 */
export function peakRange(peaks: readonly number[]): Estimate {
  return { value: typicalPeak(peaks).value, low: Math.min(...peaks), high: Math.max(...peaks) };
}

/**
 * A peak as a share of another's, with its interval over the rounds that both have.
 *
 * @param own - by round, in bytes
 * @param other - of what it is a share
 * @returns of fewer than two common rounds the ratio of the two peaks without an interval; undefined where a peak is not above the
 *   runtime's base
 */
export function peakShare(
  own: ReadonlyMap<number, number>,
  other: ReadonlyMap<number, number>,
): Estimate | undefined {
  const all = [...own.values(), ...other.values()];
  if (own.size === 0 || other.size === 0 || all.some((peak) => peak <= 0)) return undefined;
  const paired = pairedRatio(single(own), single(other));
  if (paired !== undefined) return { value: paired.value, low: paired.low, high: paired.high };
  const value = typicalPeak([...own.values()]).value / typicalPeak([...other.values()]).value;
  return { value, low: value, high: value };
}

/**
 * Peak over the runtime's base in each round of a cell, in bytes; rounds that do not tell are left out.
 *
 * @param cell - a done cell of performance
 */
export function peaksByRound(cell: StoredCell): ReadonlyMap<number, number> {
  const peaks = new Map<number, number>();
  for (const round of cell.rounds) {
    const memory = memoryOfRound(round);
    if (memory) peaks.set(round.row.round, memory.peak);
  }
  return peaks;
}

function reductionOf(
  own: ReadonlyMap<number, number>,
  baseline: ReadonlyMap<number, number>,
): number | undefined {
  const share = peakShare(own, baseline);
  return share && 1 - share.value;
}

function memoryOfRound({ memory }: StoredRound): PhaseMemory | undefined {
  return phaseMemory(memory);
}

/** Rounds of one value each. */
function single(peaks: ReadonlyMap<number, number>): ReadonlyMap<number, readonly number[]> {
  return new Map([...peaks].map(([round, peak]) => [round, [peak]]));
}
