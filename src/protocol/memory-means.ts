import { z } from 'zod';

/** By what a device knows how much memory it held, and at most. */
export const memoryMeansSchema = z.enum([
  /** Linux: VmRSS and VmHWM of the process, the latter reset at the beginning of each phase (proc(5)). */
  'vmhwm-of-phase',
  /** Linux: the same where the kernel does not let VmHWM be reset: the peak since the process began. */
  'vmhwm-of-process',
  /**
   * Linux: memory.current and memory.peak of the control group (cgroup v2), the latter reset at the beginning of each phase: all
   * processes of the group together, with the files that the kernel keeps in memory for them.
   */
  'cgroup-peak-of-phase',
  /** macOS and other Unix: the resident set, and ru_maxrss of getrusage(2): the peak since the process began. */
  'rusage-of-process',
  /** Windows: WorkingSetSize and PeakWorkingSetSize: the peak since the process began. */
  'working-set-of-process',
  /**
   * Browsers on Linux: VmRSS and VmHWM of the renderers, the latter reset at the beginning of each phase, and GPU buffers, of a page of
   * its own in which V8's optimizing compiler is off.
   */
  'renderers-liftoff-of-phase',
  /** The same where VmHWM cannot be reset. */
  'renderers-liftoff-of-process',
  /** The same of a page in which V8 optimizes while queries are timed: so older versions knew them. */
  'renderers-of-phase',
  'renderers-of-process',
]);

/** What is known by one means is compared with nothing that is known by another. */
export type MemoryMeans = z.infer<typeof memoryMeansSchema>;

/** What a means is, for code. */
interface MeansFacts {
  /** The figures of `Memory` for what is held, and for the most that was held. */
  readonly resident: string;
  readonly peak: string;
  /** Whether GPU buffers are added, which no process holds on a GPU with memory of its own. */
  readonly withGpuBuffers: boolean;
  /** Whether a peak is that of a phase, or that of all since the process began. */
  readonly isOfPhase: boolean;
}

const ofProcess = { resident: 'resident', peak: 'peakResident', withGpuBuffers: false };
const ofGroup = { resident: 'groupCurrent', peak: 'groupPeak', withGpuBuffers: false };
const ofRenderers = {
  resident: 'renderersResident',
  peak: 'renderersPeakResident',
  withGpuBuffers: true,
};

/** What each means is. */
export const meansFacts: Readonly<Record<MemoryMeans, MeansFacts>> = {
  'vmhwm-of-phase': { ...ofProcess, isOfPhase: true },
  'vmhwm-of-process': { ...ofProcess, isOfPhase: false },
  'cgroup-peak-of-phase': { ...ofGroup, isOfPhase: true },
  'rusage-of-process': { ...ofProcess, isOfPhase: false },
  'working-set-of-process': { ...ofProcess, isOfPhase: false },
  'renderers-liftoff-of-phase': { ...ofRenderers, isOfPhase: true },
  'renderers-liftoff-of-process': { ...ofRenderers, isOfPhase: false },
  'renderers-of-phase': { ...ofRenderers, isOfPhase: true },
  'renderers-of-process': { ...ofRenderers, isOfPhase: false },
};
