import type { StoredCell, StoredRound } from '../../store/read.js';

/** Phases in which memory is the model's, in the order they happen. */
export const modelPhases = ['load', 'first', 'warmup', 'steady'] as const;

export type ModelPhase = (typeof modelPhases)[number];

/** Memory of a cell in bytes: of the round that took most. */
export interface MemoryFigures {
  /** Peak over the runtime's base: from loading the model to the last query. */
  readonly peak: number;
  /** Peak of the process. */
  readonly rawPeak: number;
  /** Resident before the model is loaded. */
  readonly base: number;
  /** Peak over the base in each phase. */
  readonly byPhase: ReadonlyMap<ModelPhase, number>;
  /** Whether the device could tell each phase's peak apart; if not, a phase's peak is that since the process began. */
  readonly peaksAreOfPhases: boolean;
  /** Share by which `peak` is below the baseline's; undefined for the baseline, and where the baseline's is nothing. */
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
  const own = largestRound(cell);
  if (own === undefined) return undefined;
  const other = baseline && largestRound(baseline);
  return { ...own, reduction: other && other.peak > 0 ? 1 - own.peak / other.peak : undefined };
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

type RoundMemory = Omit<MemoryFigures, 'reduction'>;

function largestRound(cell: StoredCell): RoundMemory | undefined {
  return cell.rounds
    .map(memoryOfRound)
    .filter((each) => each !== undefined)
    .sort((a, b) => b.peak - a.peak)[0];
}

function memoryOfRound({ row, memory }: StoredRound): RoundMemory | undefined {
  const base = heldBy(memory.get('prepare'), resident);
  if (base === undefined) return undefined;
  const byPhase = new Map<ModelPhase, number>();
  for (const phase of modelPhases) {
    const peak = heldBy(memory.get(phase), peakResident);
    if (peak !== undefined) byPhase.set(phase, peak - base);
  }
  if (byPhase.size === 0) return undefined;
  const peak = Math.max(...byPhase.values());
  return { peak, rawPeak: peak + base, base, byPhase, peaksAreOfPhases: row.peak_is_of_phase === 1 };
}

/** Where a device says what was held at the end of a phase, and at most during it: the first that it knows. */
const resident = { process: 'resident', page: ['renderersResident', 'wasmHeap'], gpu: 'gpuBuffers' };
const peakResident = {
  process: 'peakResident',
  page: ['renderersPeakResident', 'wasmHeap'],
  gpu: 'peakGpuBuffers',
};

/**
 * Memory that a device held: a process its resident set; a browser that of its renderers (of these, where they cannot be
 * seen, the WebAssembly heap) and its GPU buffers. GPU buffers are counted by what the page asked for: on a GPU with
 * memory of its own no process holds them, and where they lie in a process it is not a renderer.
 */
function heldBy(
  figures: ReadonlyMap<string, number> | undefined,
  names: typeof resident,
): number | undefined {
  if (figures === undefined) return undefined;
  const page = names.page.map((name) => figures.get(name)).find((bytes) => bytes !== undefined);
  return (
    figures.get(names.process) ?? (page === undefined ? undefined : page + (figures.get(names.gpu) ?? 0))
  );
}
