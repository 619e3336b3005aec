import type { AlertContent } from '../analysis/history/standing.js';

/**
 * The subject of a message.
 *
 * @param content - what it tells
 */
export function alertSubject({ suite, opened, resolved }: AlertContent): string {
  const parts = [
    ...(opened.length > 0 ? [count(opened.length, 'new regression')] : []),
    ...(resolved.length > 0 ? [`${count(resolved.length, 'regression')} resolved`] : []),
  ];
  return `EdgeFlex: ${parts.join(', ')} in ${suite}`;
}

/**
 * A message in words.
 *
 * @param content - what it tells
 * @param link - where the run is shown; undefined: nowhere
 */
export function alertText(content: AlertContent, link: string | undefined): string {
  const { schedule, suite, run, opened, resolved, open } = content;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    `Run ${run} of ${suite} (schedule ${schedule}).`,
    ...section(
      'New regressions:',
      opened.flatMap(({ text, firstBad, probability }) => [
        text,
        ...(firstBad === null || probability === null
          ? []
          : [
              `  first bad commit, with a probability of ${Math.floor(probability * 1000) / 10} %: ${firstBad.commit?.slice(0, 12) ?? `unknown (run ${firstBad.run})`}, or one before it that was not measured`,
            ]),
      ]),
    ),
    ...section(
      'Resolved:',
      resolved.map(({ text }) => text),
    ),
    ...(open > 0 ? ['', `Still open from earlier runs: ${count(open, 'regression')}.`] : []),
    ...(link === undefined ? [] : ['', link]),
  ].join('\n');
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
