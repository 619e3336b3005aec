import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { format } from 'node:util';
import { vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { main } from '../../src/cli/main.js';

/** How a command ended and what it said. */
export interface Outcome {
  /** The exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** A command that is running. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Outcome>;
  /** Resolves when standard error has come to contain a text; rejects when the command ends before. */
  said(text: string): Promise<void>;
}

/** What a test's environment must not decide: where images lie, and whether there are colours. */
const plain = { EDGEFLEX_DATA: undefined, FORCE_COLOR: undefined, NO_COLOR: undefined };

/**
 * Starts the real command in a process of its own, built code and all.
 *
 * @param args - its arguments
 * @param env - what differs in its environment
 * @param cwd - where it is started
 * @param by - words before the command
 */
export function start(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = packageRoot(),
  by: readonly string[] = [],
): Running {
  const command = [process.execPath, join(packageRoot(), 'bin', 'edgeflex.js'), ...args];
  const [file = '', ...words] = [...by, ...command];
  const child = spawn(file, words, {
    cwd,
    env: { ...process.env, ...plain, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  const ended = new Promise<Outcome>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, ...said }));
  });
  const waitFor = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        if (said.err.includes(text)) resolve();
      };
      child.stderr.on('data', look);
      child.on('close', () => reject(new Error(`never said "${text}" but: ${said.err}`)));
      look();
    });
  return { child, ended, said: waitFor };
}

/**
 * Runs the real command to its end in a process of its own: for tests of what a process is (its exit, its output, what it
 * shares with others). All others call `edgeflex`, which does without the second that a process takes to start.
 */
export function edgeflexProcess(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = packageRoot(),
): Promise<Outcome> {
  return start(args, env, cwd).ended;
}

/** The call that is going on: they share this process's environment, output and exit code, and so come one after the other. */
let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command line to its end in this process. Agents and browsers that it starts are processes as ever.
 *
 * @param args - its arguments
 * @param env - what differs in its environment
 */
export function edgeflex(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  const call = last.then(() => called(args, env));
  last = call.catch(() => undefined);
  return call;
}

async function called(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  if (process.cwd() !== packageRoot()) throw new Error(`tests run in ${packageRoot()}`);
  const said = { out: '', err: '' };
  const before = { ...process.env };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...words) => void (said.out += `${format(...words)}\n`)),
    vi.spyOn(console, 'error').mockImplementation((...words) => void (said.err += `${format(...words)}\n`)),
    vi.spyOn(process.stdout, 'write').mockImplementation(writing((text) => (said.out += text))),
    vi.spyOn(process.stderr, 'write').mockImplementation(writing((text) => (said.err += text))),
  ];
  const release = rememberListeners();
  try {
    setEnvironment({ ...before, ...plain, ...env });
    process.exitCode = 0;
    await main([process.execPath, join(packageRoot(), 'bin', 'edgeflex.js'), ...args]);
    return { code: exitCode(), signal: null, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    release();
    process.exitCode = 0;
    setEnvironment(before);
  }
}

/** A stream's `write` that passes on what is written, and says when it has arrived. */
function writing(take: (text: string) => void): typeof process.stdout.write {
  return (text: string | Uint8Array, ...more: unknown[]) => {
    take(String(text));
    const arrived = more.at(-1);
    if (typeof arrived === 'function') queueMicrotask(arrived as () => void);
    return true;
  };
}

/**
 * Remembers who listens to the process and its streams.
 *
 * @returns takes away who has come since: a command listens until its process ends
 */
function rememberListeners(): () => void {
  const places = [process, process.stdout, process.stderr] as readonly NodeJS.EventEmitter[];
  const events = ['error', 'uncaughtException', 'unhandledRejection'];
  const known = places.flatMap((place) =>
    events.map((event) => ({ place, event, before: place.listeners(event) })),
  );
  return () => {
    for (const { place, event, before } of known)
      for (const listener of place.listeners(event))
        if (!before.includes(listener)) place.off(event, listener as () => void);
  };
}

const exitCode = (): number => Number(process.exitCode);

/** Makes the environment what is given, and nothing else. */
function setEnvironment(wanted: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(process.env))
    if (wanted[name] === undefined) Reflect.deleteProperty(process.env, name);
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) process.env[name] = value;
}

/** The processes that have a setting in their environment: a command and everything it started. */
export function processesWith(variable: string, value: string): number[] {
  const entry = `${variable}=${value}`;
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(join('/proc', name, 'environ'), 'utf8')
          .split('\0')
          .includes(entry);
      } catch {
        return false;
      }
    })
    .map(Number);
}
