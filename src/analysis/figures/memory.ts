import { mean } from 'simple-statistics';
import { meansFacts, type MemoryMeans } from '../../protocol/memory-means.js';
import {
  modelPhases,
  peakGpuBuffers,
  phaseMemory,
  type ModelPhase,
  type PhaseMemory,
} from '../../protocol/peak.js';
import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import { pairedRatio } from '../../stats/ratio.js';
import type { StoredCell } from '../../store/read.js';
import type { StoredRound } from '../../store/rounds.js';

/** Memory of a cell in bytes, each figure over the rounds as `typicalPeak` takes it. */
export interface MemoryFigures {
  /** By what the device knows it: figures by other means are not compared with these. */
  readonly means: MemoryMeans;
  /** Peak of loading the model and of its first run, over the runtime's base: see `phaseMemory`. */
  readonly peak: number;
  /** The same with its interval. */
  readonly estimate: Estimate;
  /** The same with the least and the most that a round took: see `peakRange`. */
  readonly range: Estimate;
  /** Peak over the base while queries were timed, JavaScript's garbage with it; undefined where the device does not tell. */
  readonly steady: Estimate | undefined;
  /** Peak of the process in these phases. */
  readonly rawPeak: number;
  /** Resident before the model is loaded. */
  readonly base: number;
  /** Peak over the base in each phase. */
  readonly byPhase: ReadonlyMap<ModelPhase, number>;
  /** Whether the device could tell each phase's peak apart; if not, a phase's peak is that since the process began. */
  readonly peaksAreOfPhases: boolean;
  /**
   * Share by which the peak is below the baseline's, round by round; undefined for the baseline, where one of the two is not
   * above the runtime's base, and where they are known by different means.
   */
  readonly reduction: number | undefined;
}

/**
 * The memory of a cell.
 *
 * @param cell - a done cell of performance
 * @param baseline - the baseline's cell at the same batch size; undefined when there is none, or when the cell is the
 *   baseline's
 * @returns undefined when the device does not tell, or does by one means in some rounds and by another in others
 */
export function memoryOf(cell: StoredCell, baseline: StoredCell | undefined): MemoryFigures | undefined {
  const rounds = cell.rounds.map(memoryOfRound).filter((each) => each !== undefined);
  const [means, ...otherMeans] = memoryMeansOf(cell);
  if (means === undefined || otherMeans.length > 0) return undefined;
  const own = peaksByRound(cell);
  const peaks = [...own.values()];
  const estimate = typicalPeak(peaks);
  const over = (figure: (round: PhaseMemory) => number | undefined): Estimate | undefined => {
    const values = rounds.map(figure).filter((value) => value !== undefined);
    return values.length === 0 ? undefined : typicalPeak(values);
  };
  return {
    ...{ means, peak: estimate.value, estimate },
    range: peakRange(peaks),
    steady: over(({ byPhase }) => byPhase.get('steady')),
    rawPeak: typicalPeak(rounds.map(({ rawPeak }) => rawPeak)).value,
    base: typicalPeak(rounds.map(({ base }) => base)).value,
    byPhase: new Map(
      modelPhases.flatMap((phase) => {
        const bytes = over(({ byPhase }) => byPhase.get(phase));
        return bytes === undefined ? [] : [[phase, bytes.value] as const];
      }),
    ),
    peaksAreOfPhases: meansFacts[means].isOfPhase,
    reduction: baseline && sameMeans(cell, baseline) ? reductionOf(own, peaksByRound(baseline)) : undefined,
  };
}

/**
 * By what the device knew the memory of a cell in its rounds.
 *
 * @param cell - a done cell of performance
 * @returns each once: none where it does not tell, several where rounds cannot be compared with each other
 */
export function memoryMeansOf({ rounds }: StoredCell): MemoryMeans[] {
  return [
    ...new Set(
      rounds.flatMap((round) =>
        memoryOfRound(round) && round.memoryMeans !== undefined ? [round.memoryMeans] : [],
      ),
    ),
  ];
}

function sameMeans(cell: StoredCell, other: StoredCell): boolean {
  return new Set([...memoryMeansOf(cell), ...memoryMeansOf(other)]).size <= 1;
}

/**
 * What a cell's GPU buffers took at most while the model was loaded and ran for the first time, over those of the runtime, in bytes,
 * with its interval over the rounds.
 *
 * @param cell - a done cell of performance
 * @returns undefined where it has none
 */
export function gpuBuffersOf({ rounds }: StoredCell): Estimate | undefined {
  const peaks = rounds.map(({ memory }) => peakGpuBuffers(memory)).filter((bytes) => bytes !== undefined);
  return peaks.length === 0 ? undefined : typicalPeak(peaks);
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
 * Peak over the runtime's base in each round of a cell, in bytes; rounds that do not tell are left out, and all where they are known
 * by different means.
 *
 * @param cell - a done cell of performance
 */
export function peaksByRound(cell: StoredCell): ReadonlyMap<number, number> {
  const peaks = new Map<number, number>();
  if (memoryMeansOf(cell).length > 1) return peaks;
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

function memoryOfRound({ memory, memoryMeans }: StoredRound): PhaseMemory | undefined {
  return memoryMeans && phaseMemory(memory, memoryMeans);
}

/** Rounds of one value each. */
function single(peaks: ReadonlyMap<number, number>): ReadonlyMap<number, readonly number[]> {
  return new Map([...peaks].map(([round, peak]) => [round, [peak]]));
}
