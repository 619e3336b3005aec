import { escaped } from '../markdown.js';
import { historyFindings } from '../../analysis/history/findings.js';
import type { History } from '../../analysis/history/history.js';
import { closing, extentText, paragraphs } from './words.js';

/**
 * What a history says, as a comment on a pull request or an issue takes it.
 *
 * @param history - of a suite
 */
export function historyMarkdown(history: History): string {
  const findings = historyFindings(history);
  return [
    `### EdgeFlex history: ${escaped(history.suite)}`,
    '',
    `${escaped(extentText(history))}.`,
    '',
    ...paragraphs(history, findings).flatMap(({ title, lines }) => [
      `**${escaped(title)}**`,
      '',
      ...lines.map((line) => `- ${escaped(line)}`),
      '',
    ]),
    ...closing(history, findings).flatMap((sentence) => [escaped(sentence), '']),
  ].join('\n');
}
