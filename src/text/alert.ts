import type { AlertContent, FailedJob } from '../analysis/history/standing.js';
import { momentText } from './dashboard/time.js';

/**
 * The subject of a message.
 *
 * @param content - what it tells
 */
export function alertSubject({ suite, opened, resolved, failed = [], missed }: AlertContent): string {
  const parts = [
    ...(missed ? [`${count(missed.times, 'time')} missed`] : []),
    ...(failed.length > 0 ? [`failures on ${count(failed.length, 'device')}`] : []),
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
  const { schedule, suite, run, opened, resolved, open, failed = [], missed } = content;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    run === null
      ? `Suite ${suite} (schedule ${schedule}).`
      : `Run ${run} of ${suite} (schedule ${schedule}).`,
    ...(missed
      ? [
          '',
          `No worker was running at ${count(missed.times, 'time')} of the schedule, the last ${momentText(missed.last)}: nothing was measured then.`,
        ]
      : []),
    ...section('Failed, and not in the run before:', failed.map(failureLine)),
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

function failureLine({ place, device, outcome, failedCells, reason }: FailedJob): string {
  const where = `place ${place}${device === null ? '' : `, ${device}`}`;
  return outcome === 'failed'
    ? `${where}: the job failed${reason === null ? '' : `: ${reason}`}`
    : `${where}: ${count(failedCells, 'cell')} failed`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
