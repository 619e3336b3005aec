import { readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { messageOf } from '../base/errors.js';
import { readImages } from '../data/records.js';
import type { Memory } from '../protocol/events.js';
import { encodeLine } from '../protocol/lines.js';
import { taskSchema } from '../protocol/task.js';
import { nodeEngine } from '../runtime/node.js';
import { runTask } from './agent.js';
import type { Host } from './host.js';

/**
 * The agent as a process: reads one task from standard input, writes events to standard output, ends with its task, or as
 * soon as standard input closes, which it does when the harness is gone.
 */

const host: Host = {
  now: () => performance.now(),
  loadEngine: nodeEngine,
  memory,
  resetPeak,
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
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) * 1024;
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

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  lines.once('close', () => process.exit(1));
  const emit = (event: object): void => {
    writeFileSync(1, encodeLine(event));
  };
  Promise.resolve()
    .then(() => runTask(host, taskSchema.parse(JSON.parse(line)), emit))
    .then(
      () => process.exit(0),
      (error: unknown) => {
        emit({ event: 'failed', reason: messageOf(error) });
        process.exit(1);
      },
    );
});
