import { readFile, writeFile } from 'node:fs/promises';
import { readImages } from '../data/records.js';
import { nodeEngine } from '../runtime/node.js';
import { coreLatencies } from './core-latency.js';
import type { Host } from './host.js';
import { LinuxConditions } from './linux-conditions.js';
import { Pace } from './pace.js';
import { processMemory } from './process-memory.js';

const conditions = process.platform === 'linux' ? new LinuxConditions(() => performance.now()) : undefined;
const memory = processMemory();
let pace: Pace | undefined;

/** A process on Node: files by path, memory as the kernel accounts for it. */
export const nodeHost: Host = {
  now: () => performance.now(),
  cpuTime: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  coreLatencies,
  loadEngine: nodeEngine,
  memoryMeans: () => memory.means,
  memory: () => memory.look(),
  resetPeak: () => {
    memory.reset();
  },
  ...(conditions && { conditions: () => conditions.look() }),
  pace: () => {
    pace ??= new Pace(() => performance.now());
    return pace.look();
  },
  collectGarbage: () => globalThis.gc?.(),
  readImages,
  writeInputs: (path, values) => writeFile(path, values),
  readInputs: async (path) => new Float32Array((await readFile(path)).buffer),
  modelSource: (path) => path,
  platform: `${process.platform}-${process.arch} node ${process.versions.node}`,
};
