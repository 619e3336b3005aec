import type { Phase } from './events.js';

/** Phases in which memory is the model's, in the order they happen. */
export const modelPhases = ['load', 'first', 'warmup', 'steady'] as const satisfies readonly Phase[];

export type ModelPhase = (typeof modelPhases)[number];

/** What a device said of its memory in each phase of a task, by name and in bytes. */
export type MemoryByPhase = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Memory of one process or page, in bytes. */
export interface PhaseMemory {
  /**
   * Peak memory: the peak of loading the model and of its first run, less what the runtime held before. What comes later is also
   * JavaScript's garbage, which grows with the number of queries and is none of the model's.
   */
  readonly peak: number;
  /** What was held at most in these phases, the runtime's base with it. */
  readonly rawPeak: number;
  /** Resident before the model is loaded. */
  readonly base: number;
  /** Peak over the base in each phase. */
  readonly byPhase: ReadonlyMap<ModelPhase, number>;
}

/**
 * The peak memory of one process or page: the only place that says what it is.
 *
 * @param memory - what the device said
 * @returns undefined where it does not tell the base, or the peak of loading or of the first run: absent, never 0
 */
export function phaseMemory(memory: MemoryByPhase): PhaseMemory | undefined {
  const base = heldBy(memory.get('prepare'), resident);
  if (base === undefined) return undefined;
  const byPhase = new Map<ModelPhase, number>();
  for (const phase of modelPhases) {
    const held = heldBy(memory.get(phase), peakResident);
    if (held !== undefined) byPhase.set(phase, held - base);
  }
  const [load, first] = [byPhase.get('load'), byPhase.get('first')];
  if (load === undefined || first === undefined) return undefined;
  const peak = Math.max(load, first);
  return { peak, rawPeak: peak + base, base, byPhase };
}

/** Where a device says what was held at the end of a phase, and at most during it: the first that it knows. */
const resident = { process: 'resident', page: 'renderersResident', gpu: 'gpuBuffers' };
const peakResident = {
  process: 'peakResident',
  page: 'renderersPeakResident',
  gpu: 'peakGpuBuffers',
};

/**
 * Memory that a device held: a process its resident set; a browser that of its renderers and its GPU buffers.
 * Where the renderers cannot be seen, as in a browser that was connected to, it is not known: the WebAssembly heap and the GPU
 * buffers that the page sees are a part of it, and a heap that had room from the start does not grow at all. GPU buffers are counted by what the page asked for: on a GPU with
 * memory of its own no process holds them, and where they lie in a process it is not a renderer.
 */
function heldBy(
  figures: ReadonlyMap<string, number> | undefined,
  names: typeof resident,
): number | undefined {
  if (figures === undefined) return undefined;
  const page = figures.get(names.page);
  return (
    figures.get(names.process) ?? (page === undefined ? undefined : page + (figures.get(names.gpu) ?? 0))
  );
}
