import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';
import { shellWords } from '../../src/base/shell-words.js';

/** A command on a terminal. */
export interface OnTerminal {
  /** Characters of a line. */
  readonly columns?: number;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
  /** What the user types once the terminal shows a text. */
  readonly types?: readonly { readonly after: string; readonly keys: string }[];
}

/**
 * Runs a program on a pseudo-terminal of util-linux's `script`.
 *
 * @param words - the program and its arguments
 * @param terminal - what the terminal is
 * @returns all that the terminal was sent, and the exit code
 */
export function onTerminal(
  words: readonly string[],
  { columns = 100, env = {}, cwd = packageRoot(), types = [] }: OnTerminal = {},
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const child = spawn(
    'script',
    [
      '--quiet',
      '--return',
      '--command',
      `stty cols ${columns} rows 40; exec ${shellWords(words)}`,
      '/dev/null',
    ],
    {
      cwd,
      env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: undefined, FORCE_COLOR: undefined, ...env },
    },
  );
  let shown = '';
  let from = 0;
  const left = [...types];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (let [next] = left; next !== undefined && shown.includes(next.after, from); [next] = left) {
      from = shown.indexOf(next.after, from) + next.after.length;
      child.stdin.write(next.keys);
      left.shift();
    }
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('close', (code) => {
      resolve({ code, shown });
    });
  });
}

/** The command as a program and its arguments. */
export function command(...args: readonly string[]): string[] {
  return [process.execPath, join(packageRoot(), 'bin', 'edgeflex.js'), ...args];
}
