import type { Phase } from './events.js';
import { meansFacts, type MemoryMeans } from './memory-means.js';

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
 * GPU buffers are counted by what the page asked for: on a GPU with memory of its own no process holds them, and where they lie in a
 * process it is not a renderer.
 *
 * @param memory - what the device said
 * @param means - by what it knows
 * @returns undefined where it does not tell the base, or the peak of loading or of the first run: absent, never 0
 */
export function phaseMemory(memory: MemoryByPhase, means: MemoryMeans): PhaseMemory | undefined {
  const { resident, peak: peakName, withGpuBuffers } = meansFacts[means];
  const heldIn = (phase: Phase, name: string, gpuName: string): number | undefined => {
    const figures = memory.get(phase);
    const held = figures?.get(name);
    return held === undefined ? undefined : held + (withGpuBuffers ? (figures?.get(gpuName) ?? 0) : 0);
  };
  const base = heldIn('prepare', resident, GPU_BUFFERS);
  if (base === undefined) return undefined;
  const byPhase = new Map<ModelPhase, number>();
  for (const phase of modelPhases) {
    const held = heldIn(phase, peakName, PEAK_GPU_BUFFERS);
    if (held !== undefined) byPhase.set(phase, held - base);
  }
  const [load, first] = [byPhase.get('load'), byPhase.get('first')];
  if (load === undefined || first === undefined) return undefined;
  const peak = Math.max(load, first);
  return { peak, rawPeak: peak + base, base, byPhase };
}

const GPU_BUFFERS = 'gpuBuffers';
const PEAK_GPU_BUFFERS = 'peakGpuBuffers';

/**
 * The most that a page's GPU buffers took while the model was loaded and ran for the first time, less those of the runtime before:
 * the part of the peak memory that lies on the GPU.
 *
 * @param memory - what the device said
 * @returns in bytes; undefined where there are none: never 0
 */
export function peakGpuBuffers(memory: MemoryByPhase): number | undefined {
  const base = memory.get('prepare')?.get(GPU_BUFFERS);
  const [load, first] = (['load', 'first'] as const).map((phase) => memory.get(phase)?.get(PEAK_GPU_BUFFERS));
  if (base === undefined || load === undefined || first === undefined) return undefined;
  const taken = Math.max(load, first) - base;
  return taken > 0 ? taken : undefined;
}
