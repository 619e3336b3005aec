import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { MAX_HEAP_MIB, MAX_RSS_BYTES, type BatchResult } from './limits.js';

/** An input that takes the processor for so long hangs; the second that it may take is judged in the process itself. */
const HANG_SECONDS = 10;

/** Nothing new for so long by the clock is a hang, too: something is waited for that never comes. */
const SILENT_SECONDS = 120;

/** The kernel's unit of the processor's time, as `proc(5)` has it on Linux. */
const TICKS_A_SECOND = 100;

const POLL_MS = 200;

const resultSchema: z.ZodType<BatchResult> = z.object({
  inputs: z.number(),
  peakBytes: z.number(),
  failure: z
    .object({
      kind: z.enum(['crash', 'beyond bounds']),
      ...{ path: z.string(), input: z.string(), error: z.string() },
    })
    .optional(),
});

/** What a process is to do. */
export interface Batch {
  /** The bundle of `child.ts`. */
  readonly child: string;
  readonly parser: string;
  readonly seed: number;
  readonly runs: number;
  /** It ends early after so many. */
  readonly seconds: number;
}

/**
 * Drives a parser with the inputs of one seed in a process of its own, up to the first failure, which is minimised there. A process that
 * hangs, or takes more memory than any may, is killed; which input that was, the process noted before it parsed it.
 *
 * @param batch - the parser and the seed
 */
export async function runBatch(batch: Batch): Promise<BatchResult> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-fuzz-'));
  try {
    const note = join(folder, 'input');
    const ended = await runChild(batch, folder, note, String(batch.runs));
    const result = lastLine(ended.stdout);
    if (result !== undefined) return result;
    const index = await noted(note);
    const shown = lastLine((await runChild(batch, folder, note, String(index), 'show')).stdout);
    return {
      inputs: index + 1,
      peakBytes: ended.peakBytes,
      failure: {
        kind: 'killed',
        path: String(index),
        input: shown?.failure?.input ?? '(not found again)',
        error: `${ended.why}\n${ended.stderr.slice(-2000)}`,
      },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly why: string;
  readonly peakBytes: number;
}

async function runChild(
  { child, parser, seed, seconds }: Batch,
  folder: string,
  note: string,
  runs: string,
  ...replay: string[]
): Promise<Ended> {
  const own = await mkdtemp(join(folder, 'own-'));
  const args = [child, parser, String(seed), runs, String(seconds), own, note, ...replay];
  const running = spawn(process.execPath, [`--max-old-space-size=${MAX_HEAP_MIB}`, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env['PATH'],
      HOME: own,
      TMPDIR: own,
      EDGEFLEX_CACHE: own,
      ORT_DISABLE_TELEMETRY: '1',
    },
  });
  let [stdout, stderr, why, peakBytes] = ['', '', '', 0];
  running.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  running.stderr.setEncoding('utf8').on('data', (text: string) => (stderr = (stderr + text).slice(-10_000)));
  let [last, since, used] = [-1, Date.now(), 0];
  const kill = (reason: string): void => {
    why = reason;
    running.kill('SIGKILL');
  };
  const watch = async (): Promise<void> => {
    const resident = await residentBytes(running.pid);
    peakBytes = Math.max(peakBytes, resident);
    if (resident > 2 * MAX_RSS_BYTES) kill(`${(resident / 2 ** 20).toFixed(0)} MiB resident`);
    const now = await noted(note);
    const processor = await processorSeconds(running.pid);
    if (now !== last) [last, since, used] = [now, Date.now(), processor];
    else if (processor - used > HANG_SECONDS) kill(`no end after ${HANG_SECONDS} s of the processor`);
    else if (Date.now() - since > SILENT_SECONDS * 1000) kill(`no end after ${SILENT_SECONDS} s`);
  };
  const timer = setInterval(() => void watch(), POLL_MS);
  await new Promise<void>((resolve, reject) => {
    running.on('error', reject);
    running.on('close', (code, signal) => {
      why ||= `ended with ${signal ?? `exit code ${code}`}`;
      resolve();
    });
  });
  clearInterval(timer);
  return { stdout, stderr, why, peakBytes };
}

function lastLine(stdout: string): BatchResult | undefined {
  const line = stdout.trimEnd().split('\n').at(-1) ?? '';
  return line.startsWith('{"inputs"') ? resultSchema.parse(JSON.parse(line)) : undefined;
}

/** Which input the process began last. */
async function noted(note: string): Promise<number> {
  const bytes = await readFile(note).catch(() => Buffer.alloc(0));
  return bytes.length === 8 ? Number(bytes.readBigUInt64LE()) : 0;
}

async function residentBytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

async function processorSeconds(pid: number | undefined): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // Behind the name, which may hold spaces: user time is the 12th field, system time the 13th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / TICKS_A_SECOND;
}
