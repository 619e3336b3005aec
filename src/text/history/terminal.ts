import { oneLine } from '../format.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { History } from '../../analysis/history/history.js';
import { closing, extentText, paragraphs } from './words.js';

/**
 * What a history says, for a terminal.
 *
 * @param history - of a suite
 */
export function historyText(history: History): string {
  const findings = historyFindings(history);
  return [
    `${oneLine(history.suite)}: ${extentText(history)}`,
    ...paragraphs(history, findings).map(({ title, lines }) =>
      [title, ...lines.map((line) => `  ${oneLine(line)}`)].join('\n'),
    ),
    ...closing(history, findings),
  ].join('\n\n');
}
