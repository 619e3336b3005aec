import type { Finding } from '../../device/kind.js';
import { oneLine } from '../../text/format.js';
import { definitions } from '../../base/wrap.js';
import { screenWidth } from './screen.js';

const signs = { ok: '✓', warn: '!', fail: '✗' };

/**
 * What was found, and how to fix it, for a terminal.
 *
 * @param title - of the place that was looked at
 * @param findings - of that place
 */
export function findingsText(title: string, findings: readonly Finding[]): string {
  const lines = findings.flatMap(({ what, state, found, fix }) => {
    const texts = [oneLine(found), ...(fix?.split('\n') ?? [])];
    return texts.map((text, index): [string, string] => [
      index === 0 ? `${signs[state]} ${what.padEnd(18)}` : ' '.repeat(20),
      text,
    ]);
  });
  return [`${title}:`, ...definitions(lines, screenWidth())].join('\n');
}
