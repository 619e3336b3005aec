import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { BRANCH_VARIABLE } from '../base/ci-branch.js';
import { defined } from '../base/defined.js';
import { messageOf } from '../base/errors.js';
import { TURNS_VARIABLE } from '../protocol/turns.js';
import { Turnstile } from './turnstile.js';

/** Of two commits that are measured in turn: the one that is compared with, and the one that is judged. */
export type SideName = 'base' | 'head';

/** One of two commits that are measured in turn. */
export interface Side {
  readonly name: SideName;
  /** The folder of its work tree that the command is given in. */
  readonly directory: string;
  /** For the record of its run: undefined where git and the CI tell, null where it is unknown. */
  readonly branch: string | null | undefined;
}

/** How two commits are measured. */
export interface MeasureOptions {
  /** The words of the command that measures: it is called with `run` and the words below. */
  readonly command: readonly string[];
  /** What stands behind `run`. */
  readonly words: readonly string[];
  readonly signal: AbortSignal;
  /** Variables of their environment besides those of this process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Told each line that a run says of how far it is. */
  readonly onLine: (of: SideName, line: string) => void;
}

/** How the run of a commit ended. */
export type SideEnd =
  | { readonly kind: 'measured'; readonly run: string }
  /** There is no run to compare, and why: the last lines that it said. */
  | { readonly kind: 'failed'; readonly said: string }
  /** It was stopped, since the other one had failed. */
  | { readonly kind: 'stopped' };

/** Lines of a failed run that are told. */
const LAST_LINES = 12;

/** What `edgeflex run --json` prints, as far as it is needed. */
const reportSchema = z.object({ run: z.object({ id: z.string() }) });

/**
 * Measures two commits in turn on the same machine: each by a command of its own, in its own folder, round by round (see
 * `TurnOrder`). Where one of them cannot be measured, the other one is stopped.
 *
 * @param sides - both
 * @param options - the command
 * @throws the signal's reason when it fires, once both have ended
 */
export async function measureInTurn(
  sides: readonly [base: Side, head: Side],
  options: MeasureOptions,
): Promise<Readonly<Record<SideName, SideEnd>>> {
  const turnstile = await Turnstile.open(sides.map(({ name }) => name));
  const stopping = new AbortController();
  const signal = AbortSignal.any([options.signal, stopping.signal]);
  try {
    const ends = await Promise.all(
      sides.map(async (side): Promise<readonly [SideName, SideEnd]> => {
        const end = await runOf(side, turnstile.path(side.name), { ...options, signal });
        if (end.kind === 'failed') {
          if (stopping.signal.aborted) return [side.name, { kind: 'stopped' }];
          stopping.abort();
        }
        turnstile.without(side.name);
        return [side.name, end];
      }),
    );
    options.signal.throwIfAborted();
    const byName = new Map(ends);
    return {
      base: defined(byName.get('base'), 'the end of the base'),
      head: defined(byName.get('head'), 'the end of the head'),
    };
  } finally {
    await turnstile.close();
  }
}

async function runOf(side: Side, socket: string, options: MeasureOptions): Promise<SideEnd> {
  const { command, words, environment, signal, onLine } = options;
  const [program = '', ...before] = command;
  const said: string[] = [];
  const child = spawn(program, [...before, 'run', ...words, '--json'], {
    cwd: side.directory,
    env: {
      ...{ ...process.env, ...environment },
      ...{ [TURNS_VARIABLE]: socket, NO_COLOR: '1' },
      ...(side.branch !== undefined && { [BRANCH_VARIABLE]: side.branch ?? '' }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // Ctrl-C is this process's: it stops both in good order.
    detached: process.platform !== 'win32',
  });
  const stop = (): void => {
    child.kill('SIGTERM');
  };
  signal.addEventListener('abort', stop);
  createInterface(child.stderr).on('line', (line) => {
    said.push(line);
    if (said.length > LAST_LINES) said.shift();
    onLine(side.name, line);
  });
  try {
    const ended = new Promise<void>((resolve, reject) =>
      child.on('close', () => resolve()).on('error', reject),
    );
    if (signal.aborted) stop();
    const [out] = await Promise.all([text(child.stdout), ended]);
    const report = reportSchema.safeParse(parsed(out));
    return report.success
      ? { kind: 'measured', run: report.data.run.id }
      : { kind: 'failed', said: said.join('\n') || 'It said nothing.' };
  } catch (error) {
    return { kind: 'failed', said: messageOf(error) };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
