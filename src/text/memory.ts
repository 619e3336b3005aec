import type { MemoryMeans } from '../protocol/memory-means.js';

const RENDERERS = "VmHWM of the browser's renderers";

/** By what a peak of memory is known, as what a system calls it. */
export function meansText(means: MemoryMeans): string {
  switch (means) {
    case 'vmhwm-of-phase':
      return 'VmHWM of the process, reset in each phase (Linux)';
    case 'vmhwm-of-process':
      return 'VmHWM of the process since it began (Linux)';
    case 'cgroup-peak-of-phase':
      return 'memory.peak of the control group, reset in each phase (Linux)';
    case 'rusage-of-process':
      return 'ru_maxrss of the process since it began (macOS)';
    case 'working-set-of-process':
      return 'PeakWorkingSetSize of the process since it began (Windows)';
    case 'renderers-liftoff-of-phase':
      return `${RENDERERS}, reset in each phase, and GPU buffers, with V8's optimizing compiler off (Linux)`;
    case 'renderers-liftoff-of-process':
      return `${RENDERERS} since they began, and GPU buffers, with V8's optimizing compiler off (Linux)`;
    case 'renderers-of-phase':
      return `${RENDERERS}, reset in each phase, and GPU buffers, with what V8's compiler takes (Linux)`;
    case 'renderers-of-process':
      return `${RENDERERS} since they began, and GPU buffers, with what V8's compiler takes (Linux)`;
  }
}

/**
 * What a reader must know of peaks that are known by a means: a sentence.
 *
 * @param means - any
 * @returns undefined of the usual one, the peak of a process and a phase
 */
export function meansNote(means: MemoryMeans): string | undefined {
  switch (means) {
    case 'vmhwm-of-phase':
      return undefined;
    case 'vmhwm-of-process':
    case 'rusage-of-process':
    case 'working-set-of-process':
      return `peak memory is ${meansText(means)}: phases cannot be separated, and a peak of the runtime before the model was loaded hides a smaller peak of the model.`;
    case 'cgroup-peak-of-phase':
      return `peak memory is ${meansText(means)}: the total of all processes in the group, including the files that the kernel caches for them.`;
    case 'renderers-liftoff-of-phase':
    case 'renderers-liftoff-of-process':
    case 'renderers-of-phase':
    case 'renderers-of-process':
      return `peak memory is ${meansText(means)}, above what they held before the model was loaded.`;
  }
}
