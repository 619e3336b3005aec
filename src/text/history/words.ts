import { defined } from '../../base/defined.js';
import type { Estimate } from '../../stats/interval.js';
import * as format from '../format.js';
import type { SettingDifference } from '../../analysis/setting.js';
import type { Doubt } from '../../analysis/history/changes.js';
import type { CellChange, CellSlowChange, HistoryFindings } from '../../analysis/history/findings.js';
import type { History, SettingBreak } from '../../analysis/history/history.js';
import type { HistoryMetric, HistoryRun } from '../../analysis/history/points.js';

/** What a metric is called. */
export const metricNames: Readonly<Record<HistoryMetric, string>> = {
  latency: 'latency',
  memory: 'peak memory',
  accuracy: 'top-1',
  file: 'model file',
};

const words: Readonly<Record<HistoryMetric, readonly [more: string, less: string]>> = {
  latency: ['slower', 'faster'],
  memory: ['larger', 'smaller'],
  accuracy: ['better', 'worse'],
  file: ['larger', 'smaller'],
};

const doubts: Readonly<Record<Doubt, string>> = {
  'not significant': 'chance alone could have made it',
  'below the threshold': 'too small to matter',
  'one run only': 'only the newest run has it, the next one confirms or refutes it',
  'slow change': 'a part of the slow change',
  'same commit': 'both runs measured the same commit, so that something but the code changed',
};

/** A value in its metric's unit: `12.3 ms`, `15.3 MiB`, `83.19 %`. */
export function quantity(metric: HistoryMetric, value: number): string {
  if (metric === 'latency') return `${format.milliseconds(value)} ms`;
  return metric === 'memory' || metric === 'file' ? format.mebibytes(value) : `${format.percent(value, 2)} %`;
}

/** The size of a change: `5.2 % slower`, `0.50 points worse`. */
export function sizeText(metric: HistoryMetric, size: number): string {
  const word = words[metric][size > 0 ? 0 : 1];
  const amount = Math.abs(size);
  return metric === 'accuracy'
    ? `${format.percent(amount, 2)} points ${word}`
    : `${format.percent(amount)} % ${word}`;
}

/** A change with its sign, for a chart: `+5.2 %`, `−0.50 points`. */
export function signedText(metric: HistoryMetric, size: number): string {
  const sign = size < 0 ? '−' : '+';
  const amount = Math.abs(size);
  return metric === 'accuracy'
    ? `${sign}${format.percent(amount, 2)} points`
    : `${sign}${format.percent(amount)} %`;
}

/** The ends of a change's 95 % interval, with their signs: `+4.1 to +6.3`. */
function intervalText(metric: HistoryMetric, { low, high }: Estimate): string {
  const end = (value: number): string =>
    `${value < 0 ? '−' : '+'}${format.percent(Math.abs(value), metric === 'accuracy' ? 2 : 1)}`;
  return `${end(low)} to ${end(high)}`;
}

/** What a run measured, in short: the commit, with an asterisk where files differed from it, or the run where nobody knows. */
export function codeText({ repository, id }: HistoryRun): string {
  if (repository === null) return id;
  return `${repository.commit.slice(0, 9)}${repository.dirty ? '*' : ''}`;
}

/** The range that a change came in, as git writes it: the last run before, the first after. */
export function rangeText(before: HistoryRun, after: HistoryRun): string {
  return `${codeText(before)}..${codeText(after)}`;
}

/** When the code of a run was written, or, where nobody knows, when it was measured: `2026-11-22`. */
export function dayOf({ repository, startedAt }: HistoryRun): string {
  return (repository?.committedAt ?? startedAt).slice(0, 10);
}

/** A change as a sentence without its end. */
export function changeText({ cell: { name, metric }, change }: CellChange): string {
  const { size, before, after, lastBefore, firstAfter, runs, doubt } = change;
  const levels = `${quantity(metric, before)} → ${quantity(metric, after)}`;
  const since = `since ${dayOf(firstAfter)}, ${plural(runs, 'run')}`;
  return (
    `${name}, ${metricNames[metric]}: ${sizeText(metric, size.value)} (95 %: ${intervalText(metric, size)}), ${levels}, ` +
    `in ${rangeText(lastBefore, firstAfter)}, ${since}${doubt === undefined ? '' : `; ${doubts[doubt]}`}`
  );
}

/** A slow change as a sentence without its end. */
export function slowText({ cell: { name, metric }, series: { points }, slow }: CellSlowChange): string {
  const { run: first } = defined(points[0], 'the first point of a series');
  const { run: last } = defined(points.at(-1), 'the last point of a series');
  return (
    `${name}, ${metricNames[metric]}: ${sizeText(metric, slow.size)} over ${plural(points.length, 'run')} ` +
    `(p ${format.pValue(slow.p).replace(/^(?=\d)/, '= ')}), in ${rangeText(first, last)}, by steps too small to be seen one by one`
  );
}

/** A break as a sentence without its end. */
function breakText({ device, run, differences }: SettingBreak): string {
  return `${device} from ${dayOf(run)} on (${codeText(run)}): ${differences.map(differenceText).join('; ')}`;
}

/** How many runs of what, and from when to when. */
export function extentText({ runs, cells }: History): string {
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) return 'no runs';
  const days = dayOf(first) === dayOf(last) ? `of ${dayOf(first)}` : `from ${dayOf(first)} to ${dayOf(last)}`;
  return `${plural(runs.length, 'run')} ${days}, ${plural(cells.length, 'series')}`;
}

/** What a history says, by headings; those without anything are left out. */
export function paragraphs(
  history: History,
  findings: HistoryFindings,
): { readonly title: string; readonly lines: readonly string[] }[] {
  return [
    { title: 'Regressions', lines: findings.regressions.map(changeText) },
    { title: 'Slow changes', lines: findings.slow.map(slowText) },
    { title: 'Improvements', lines: findings.improvements.map(changeText) },
    { title: 'Not decided', lines: findings.open.map(changeText) },
    {
      title: 'Another setting: figures before and after are not compared',
      lines: history.breaks.map(breakText),
    },
  ].filter(({ lines }) => lines.length > 0);
}

/** What is said when nothing is to be said, and what was left out. */
export function closing({ thresholds, runs }: History, findings: HistoryFindings): string[] {
  const { regressions, improvements, slow, open, others } = findings;
  const quiet = regressions.length + improvements.length + slow.length + open.length === 0;
  const limits = `${format.percent(thresholds.ratio)} % (top-1: ${format.percent(thresholds.accuracy, 2)} points)`;
  return [
    ...(runs.length < 2 ? ['One run has no history: changes are seen from a few runs on.'] : []),
    ...(quiet && runs.length > 1 ? [`No change of ${limits} or more was found.`] : []),
    ...(others > 0
      ? [
          `${plural(others, 'further change')} ${others === 1 ? 'is' : 'are'} below ${limits} or could be chance.`,
        ]
      : []),
  ];
}

function differenceText({ name, before, after }: SettingDifference): string {
  const text = (value: string): string => (value === '' ? 'nothing' : value);
  return `${name} ${text(before)} → ${text(after)}`;
}

function plural(count: number, what: string): string {
  return `${format.integer(count)} ${what}${count === 1 || what === 'series' ? '' : 's'}`;
}
