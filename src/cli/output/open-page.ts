import { once } from 'node:events';
import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Option } from 'commander';
import { messageOf } from '../../base/errors.js';
import { remark } from './screen.js';

/** A desktop that has not refused within so many milliseconds shows the page. */
const PATIENCE = 1000;

/** The option that shows what was written in the desktop's browser. */
export function openOption(): Option {
  return new Option('--open', 'open the report in your browser').conflicts('json');
}

/**
 * Shows a page in the desktop's browser, which goes on when the command ends. Where there is none that is said, and is no error.
 *
 * @param page - the file
 */
export async function openPage(page: string): Promise<void> {
  await shown(resolve(page), `The report is ${page}.`);
}

/**
 * Shows what is served at an address in the desktop's browser, as `openPage` does.
 *
 * @param url - the address
 */
export async function openAddress(url: string): Promise<void> {
  await shown(url, `The address is ${url}`);
}

/** @param otherwise - where to find it, where no browser can be opened */
async function shown(target: string, otherwise: string): Promise<void> {
  const { default: open } = await import('open');
  try {
    const program = await open(target);
    const waiting = new AbortController();
    const failed = await Promise.race([
      once(program, 'close', waiting).then(([code]: unknown[]) => code !== 0),
      // Nothing else keeps the command from ending: the browser is on its own.
      sleep(PATIENCE, false, waiting),
    ]);
    waiting.abort();
    if (failed) remark(`Could not open a browser. ${otherwise}`);
  } catch (error) {
    remark(`Could not open a browser (${messageOf(error)}). ${otherwise}`);
  }
}
