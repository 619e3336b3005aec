import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';

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

/**
 * Starts the real command in a process of its own, built code and all.
 *
 * @param args - its arguments
 * @param env - what differs in its environment
 */
export function start(args: readonly string[], env: NodeJS.ProcessEnv): Running {
  const child = spawn(process.execPath, [join(packageRoot(), 'bin', 'edgeflex.js'), ...args], {
    cwd: packageRoot(),
    env: { ...process.env, EDGEFLEX_DATA: undefined, ...env },
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

/** Runs the real command to its end. */
export function edgeflex(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return start(args, env).ended;
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
