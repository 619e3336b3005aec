import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { readImages } from '../data/records.js';
import type { Memory } from '../protocol/events.js';
import { nodeEngine } from '../runtime/node.js';
import { coreLatencies } from './core-latency.js';
import type { Host } from './host.js';
import { LinuxConditions } from './linux-conditions.js';

const conditions = process.platform === 'linux' ? new LinuxConditions(() => performance.now()) : undefined;

/** A process on Node: files by path, memory as the kernel accounts for it. */
export const nodeHost: Host = {
  now: () => performance.now(),
  cpuTime: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  coreLatencies,
  loadEngine: nodeEngine,
  memory,
  resetPeak,
  ...(conditions && { conditions: () => conditions.look() }),
  collectGarbage: () => globalThis.gc?.(),
  readImages: (images, indices) => readImages(images.files, indices),
  writeInputs: (path, values) => writeFile(path, values),
  readInputs: async (path) => new Float32Array((await readFile(path)).buffer),
  modelSource: (path) => path,
  platform: `${process.platform}-${process.arch} node ${process.versions.node}`,
};

/** From the kernel's account of this process; elsewhere from Node, which knows no more than the resident set. */
function memory(): Memory {
  let status: string;
  try {
    status = readFileSync('/proc/self/status', 'utf8');
  } catch {
    return { resident: process.memoryUsage.rss(), peakResident: process.resourceUsage().maxRSS * 1024 };
  }
  // Some sandboxes leave lines out.
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

/** Writing 5 to clear_refs resets VmHWM (Linux, proc(5)). */
function resetPeak(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}
