import { closeSync, constants, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import type { Memory } from '../protocol/events.js';
import type { MemoryMeans } from '../protocol/memory-means.js';

/** How a process knows its own memory. */
export interface ProcessMemory {
  /** By what; undefined where the system does not tell a peak. */
  readonly means: MemoryMeans | undefined;
  /** Memory now. */
  look(): Memory;
  /** Makes the next peak count from here, where the means can. */
  reset(): void;
}

/** Enough for a file with one number. */
const SHORT_BYTES = 64;

/**
 * The memory of this process by the best means that the system has: on Linux VmHWM where it can be reset, then the peak of the control
 * group where that can be, then VmHWM since the process began; elsewhere what Node tells.
 *
 * On Linux ru_maxrss is no means: it is handed on from the process that started this one.
 *
 * @param platform - the system
 * @param root - where `proc` and `sys` lie
 */
export function processMemory(platform: NodeJS.Platform = process.platform, root = '/'): ProcessMemory {
  if (platform !== 'linux') return nodeMemory(platform);
  const status = `${root}proc/self/status`;
  const look = (): Memory => parseStatus(readOr(status, ''));
  const clear = (): void => {
    const file = openSync(`${root}proc/self/clear_refs`, constants.O_WRONLY);
    try {
      // Resets VmHWM (Linux, proc(5)).
      writeSync(file, '5');
    } finally {
      closeSync(file);
    }
  };
  const toldPeak = look().peakResident !== undefined;
  if (toldPeak && succeeds(clear)) return { means: 'vmhwm-of-phase', look, reset: clear };
  const group = groupMemory(root);
  if (group !== undefined)
    return {
      means: 'cgroup-peak-of-phase',
      look: () => ({ ...look(), ...group.look() }),
      reset: () => {
        group.reset();
      },
    };
  return { means: toldPeak ? 'vmhwm-of-process' : undefined, look, reset: () => undefined };
}

/** macOS, Windows and others: libuv gives ru_maxrss in KiB on all of them, on Windows from PeakWorkingSetSize. */
function nodeMemory(platform: NodeJS.Platform): ProcessMemory {
  return {
    means: platform === 'win32' ? 'working-set-of-process' : 'rusage-of-process',
    look: () => ({
      resident: process.memoryUsage.rss(),
      peakResident: process.resourceUsage().maxRSS * 1024,
    }),
    reset: () => undefined,
  };
}

/**
 * What `/proc/<pid>/status` says of the memory of a process (proc(5)), in bytes.
 *
 * @param status - the file's text
 * @returns undefined for lines that are not there: some sandboxes leave them out
 */
export function parseStatus(status: string): Memory {
  const field = (name: string): number | undefined => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
  };
  return {
    resident: field('VmRSS'),
    peakResident: field('VmHWM'),
    anonymous: field('RssAnon'),
    fileBacked: field('RssFile'),
  };
}

/**
 * The folder of a process's control group under the second version's hierarchy (cgroups(7)), below its mount.
 *
 * @param cgroup - the text of `/proc/<pid>/cgroup`
 * @returns such as `/user.slice/session-1.scope`; undefined where the process is in none
 */
export function parseGroup(cgroup: string): string | undefined {
  return /^0::(\/.*)$/m.exec(cgroup)?.[1];
}

/**
 * The memory of this process's control group. From Linux 6.12 on, writing to `memory.peak` resets it for what reads through the same
 * open file (kernel documentation, "Control Group v2"); before, it is the peak since the group was made, with all that ran in it,
 * and of no use.
 *
 * @returns undefined where there is none, or its peak cannot be reset
 */
function groupMemory(root: string): { look(): Memory; reset(): void } | undefined {
  const group = parseGroup(readOr(`${root}proc/self/cgroup`, ''));
  if (group === undefined) return undefined;
  const folder = `${root}sys/fs/cgroup${group === '/' ? '' : group}`;
  const current = (): number => Number(readFileSync(`${folder}/memory.current`, 'utf8'));
  let peak: number;
  try {
    peak = openSync(`${folder}/memory.peak`, 'r+');
  } catch {
    return undefined;
  }
  // Any text resets it.
  const reset = (): void => void writeSync(peak, `${current()}\n`, 0);
  if (!succeeds(reset)) return undefined;
  const buffer = Buffer.alloc(SHORT_BYTES);
  return {
    reset,
    look: () => ({
      groupCurrent: current(),
      groupPeak: Number.parseInt(buffer.toString('latin1', 0, readSync(peak, buffer, 0, SHORT_BYTES, 0)), 10),
    }),
  };
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}

function succeeds(work: () => void): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}
