import type { View } from './page.js';
import { audit } from './views/audit.js';
import { cell } from './views/cell.js';
import { compare } from './views/compare.js';
import { history } from './views/history.js';
import { overview } from './views/overview.js';
import { procure } from './views/procure.js';
import { queue } from './views/queue.js';
import { run } from './views/run.js';
import { runs } from './views/runs.js';

/** Pages by their addresses; `:name` is a parameter. */
const routes: readonly (readonly [pattern: string, view: View])[] = [
  ['/', overview],
  ['/runs', runs],
  ['/runs/:id', run],
  ['/runs/:id/cells/:cell', cell],
  ['/compare', compare],
  ['/history', history],
  ['/procure', procure],
  ['/queue', queue],
  ['/audit', audit],
];

/** A page and its parameters. */
export interface Match {
  readonly view: View;
  readonly params: Readonly<Record<string, string>>;
}

/**
 * The page at an address.
 *
 * @param path - without what comes after `?`
 * @returns undefined where there is none
 */
export function pageAt(path: string): Match | undefined {
  const parts = partsOf(path);
  for (const [pattern, view] of routes) {
    const expected = partsOf(pattern);
    if (expected.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = expected.every((part, index) => {
      const given = parts[index] ?? '';
      if (!part.startsWith(':')) return part === given;
      params[part.slice(1)] = given;
      return true;
    });
    if (fits) return { view, params };
  }
  return undefined;
}

function partsOf(path: string): string[] {
  return path.split('/').filter(Boolean).map(decoded);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
