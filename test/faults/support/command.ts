import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { packageRoot } from '../../../src/base/paths.js';

/** How a command ended and what it said on standard error. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly err: string;
}

/** What is started: the real command, with what differs in its environment. */
export interface Call {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** Words before it, such as a command that enters another namespace. */
  readonly by?: readonly string[];
}

/** How long one uninterrupted call takes, in milliseconds. */
export interface Timing {
  /** Until it first changes something in the watched folder. */
  readonly quiet: number;
  /** From then to what is to be interrupted last. */
  readonly work: number;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves when standard error has come to contain a text, or the command has ended. */
  said(text: string): Promise<void>;
}

function start({ args, env, by = [] }: Call): Started {
  const [file, ...rest] = [...by, process.execPath, join(packageRoot(), 'bin', 'edgeflex.js'), ...args];
  const child = spawn(file ?? process.execPath, rest, {
    cwd: packageRoot(),
    env: { ...process.env, EDGEFLEX_DATA: undefined, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let err = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => {
      resolve({ code, signal, err });
    });
  });
  const said = (text: string): Promise<void> =>
    Promise.race([
      new Promise<void>((resolve) => {
        child.stderr.on('data', () => {
          if (err.includes(text)) resolve();
        });
      }),
      ended.then(() => undefined),
    ]);
  return { child, ended, said };
}

/** Runs the command to its end. */
export function call(what: Call): Promise<Ended> {
  return start(what).ended;
}

/**
 * Times one call that nobody interrupts.
 *
 * @param what - the call
 * @param folder - where it changes something first
 * @param until - what it says when it has done what is to be interrupted; left out, its end counts
 * @throws Error when it fails
 */
export async function timed(what: Call, folder: string, until?: string): Promise<Timing> {
  const began = performance.now();
  const running = start(what);
  const changed = firstChange(folder).then(() => performance.now());
  const done = (until === undefined ? running.ended : running.said(until)).then(() => performance.now());
  const first = await Promise.race([changed, done]);
  const last = await done;
  if (until !== undefined) running.child.kill('SIGTERM');
  const { code, err } = await running.ended;
  if (until === undefined && code !== 0) throw new Error(`${what.args.join(' ')}: exit code ${code}: ${err}`);
  return { quiet: first - began, work: last - first };
}

/**
 * Starts a command and kills it at a moment.
 *
 * @param what - the call
 * @param folder - where it changes something first
 * @param timing - of a call that was not interrupted
 * @param moment - from -1 to 1: the share of the time before the first change, or of that after it
 * @param before - called right before the kill
 * @returns whether it was killed; it may have ended first
 */
export async function killed(
  what: Call,
  folder: string,
  timing: Timing,
  moment: number,
  before: () => void,
): Promise<boolean> {
  const running = start(what);
  const wait =
    moment < 0
      ? sleep(timing.quiet * (1 + moment))
      : firstChange(folder).then(() => sleep(timing.work * moment));
  await Promise.race([wait, running.ended]);
  before();
  running.child.kill('SIGKILL');
  return (await running.ended).signal === 'SIGKILL';
}

/** Resolves when something in a folder has changed; the folder need not be there yet, but the one above it. */
function firstChange(folder: string): Promise<void> {
  return new Promise((resolve) => {
    const there = existsSync(folder);
    const watcher = watch(there ? folder : join(folder, '..'), (_, name) => {
      if (!there && name !== folder.split('/').pop()) return;
      watcher.close();
      resolve();
    });
    watcher.unref();
  });
}
