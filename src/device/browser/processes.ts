import { readFile, writeFile } from 'node:fs/promises';
import type { CDPSession } from 'puppeteer-core';
import { z } from 'zod';
import type { BrowserProcesses } from '../../protocol/page.js';
import type { PageOptions } from './launch.js';

const processesSchema = z.object({
  processInfo: z.array(z.object({ type: z.string(), id: z.number().int().positive() })),
});

/** What the kernel says of some processes together, in bytes. */
interface Sum {
  readonly resident: number;
  readonly peak: number;
  /** Undefined where the kernel does not tell. */
  readonly proportional: number | undefined;
  /** Whether their peaks begin anew. */
  readonly isReset: boolean;
}

/**
 * Memory of a browser's renderer and GPU processes on this machine, and a new beginning for their peaks. The renderers are
 * counted together: a fresh browser has one page, and what its other renderers hold does not change.
 *
 * @param session - of the browser
 * @param options - of its page
 * @returns without means where there is no `/proc`
 */
export async function processMemory(
  session: CDPSession,
  { withoutOptimizer }: PageOptions,
): Promise<BrowserProcesses> {
  const { processInfo } = processesSchema.parse(await session.send('SystemInfo.getProcessInfo'));
  const sumOf = (type: string): Promise<Sum | undefined> =>
    sum(processInfo.filter((each) => each.type === type).map(({ id }) => id));
  const [renderers, gpu] = await Promise.all([sumOf('renderer'), sumOf('GPU')]);
  const memory = {
    ...(renderers && {
      renderersResident: renderers.resident,
      renderersPeakResident: renderers.peak,
      ...(renderers.proportional === undefined ? {} : { renderersProportional: renderers.proportional }),
    }),
    ...(gpu && {
      gpuProcessResident: gpu.resident,
      gpuProcessPeakResident: gpu.peak,
      ...(gpu.proportional === undefined ? {} : { gpuProcessProportional: gpu.proportional }),
    }),
  };
  if (renderers === undefined) return { means: null, memory };
  const kind = withoutOptimizer ? 'renderers-liftoff' : 'renderers';
  return { means: `${kind}-${renderers.isReset ? 'of-phase' : 'of-process'}`, memory };
}

async function sum(pids: readonly number[]): Promise<Sum | undefined> {
  const each = (await Promise.all(pids.map(processOf))).filter((known) => known !== undefined);
  if (each.length === 0) return undefined;
  const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
  const proportional = each.map((known) => known.proportional).filter((known) => known !== undefined);
  return {
    resident: total(each.map(({ resident }) => resident)),
    peak: total(each.map(({ peak }) => peak)),
    proportional: proportional.length === each.length ? total(proportional) : undefined,
    isReset: each.every(({ isReset }) => isReset),
  };
}

async function processOf(pid: number): Promise<Sum | undefined> {
  const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '');
  const kibibytes = (text: string, name: string): number | undefined => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  };
  const status = await read('status');
  const resident = kibibytes(status, 'VmRSS');
  const peak = kibibytes(status, 'VmHWM');
  if (resident === undefined || peak === undefined) return undefined;
  const proportional = kibibytes(await read('smaps_rollup'), 'Pss');
  // Resets VmHWM, where the system lets us (proc(5)).
  const isReset = await writeFile(`/proc/${pid}/clear_refs`, '5').then(
    () => true,
    () => false,
  );
  return { resident, peak, proportional, isReset };
}
