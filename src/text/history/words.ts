import { defined } from '../../base/defined.js';
import type { Estimate } from '../../stats/interval.js';
import { quantity } from '../compare/words.js';
import * as format from '../format.js';
import type { SettingDifference } from '../../analysis/setting.js';
import type { Change, Doubt } from '../../analysis/history/changes.js';
import type { CellChange, CellSlowChange, HistoryFindings } from '../../analysis/history/findings.js';
import type { CellHistory, History, SettingBreak } from '../../analysis/history/history.js';
import type { HistoryMetric, HistoryRun } from '../../analysis/history/points.js';

/** What a metric is called. */
export const metricNames: Readonly<Record<HistoryMetric, string>> = {
  latency: 'latency',
  memory: 'peak memory',
  accuracy: 'top-1',
  cosine: 'cosine to fp32',
  file: 'model file',
  rate: 'highest rate',
  throughput: 'offline throughput',
};

const words: Readonly<Record<HistoryMetric, readonly [more: string, less: string]>> = {
  latency: ['slower', 'faster'],
  memory: ['larger', 'smaller'],
  accuracy: ['better', 'worse'],
  cosine: ['higher', 'lower'],
  file: ['larger', 'smaller'],
  rate: ['higher', 'lower'],
  throughput: ['higher', 'lower'],
};

const doubts: Readonly<Record<Doubt, string>> = {
  'not significant': 'could be chance',
  'below the threshold': 'below the threshold',
  'one run only': 'only in the newest run: the next one will confirm or refute it',
  'slow change': 'part of a slow drift',
  'same commit': 'both runs measured the same commit, so something other than the code changed',
};

/** The size of a change: `5.2 % slower`, `0.50 points worse`. */
export function sizeText(metric: HistoryMetric, size: number): string {
  const word = words[metric][size > 0 ? 0 : 1];
  return `${unsigned(metric, size)} ${word}`;
}

/** A change with its sign, for a chart: `+5.2 %`, `−0.50 points`. */
export function signedText(metric: HistoryMetric, size: number): string {
  const sign = size < 0 ? '−' : '+';
  return `${sign}${unsigned(metric, size)}`;
}

function unsigned(metric: HistoryMetric, size: number): string {
  const bare = amount(metric, Math.abs(size));
  if (metric === 'cosine') return bare;
  return metric === 'accuracy' ? `${bare} points` : `${bare} %`;
}

/** A size or the end of an interval without its unit. */
function amount(metric: HistoryMetric, size: number): string {
  if (metric === 'cosine') return format.cosineValue(size);
  return format.percent(size, metric === 'accuracy' ? 2 : 1);
}

/** The ends of a change's 95 % interval, with their signs: `+4.1 to +6.3`. */
function intervalText(metric: HistoryMetric, { low, high }: Estimate): string {
  const end = (value: number): string => `${value < 0 ? '−' : '+'}${amount(metric, Math.abs(value))}`;
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
  const { size, before, after, firstAfter, runs, doubt } = change;
  const levels = `${quantity(metric, before)} → ${quantity(metric, after)}`;
  const since = `since ${dayOf(firstAfter)}, ${plural(runs, 'run')}`;
  return (
    `${name}, ${metricNames[metric]}: ${sizeText(metric, size.value)} (95 %: ${intervalText(metric, size)}), ${levels}, ` +
    `${placeText(change)}, ${since}${doubt === undefined ? '' : `; ${doubts[doubt]}`}`
  );
}

/** Where a change came: the range of commits with its probability, and a wider one where that is too small. */
function placeText({ lastBefore, firstAfter, probability, range }: Change): string {
  const place = `in ${rangeText(lastBefore, firstAfter)} (probability ${probabilityText(probability)})`;
  if (range.lastBefore === lastBefore && range.firstAfter === firstAfter) return place;
  return `${place}, or at least in ${rangeText(range.lastBefore, range.firstAfter)} (${probabilityText(range.probability)})`;
}

/** A probability that is never said to be certain where it is not. */
function probabilityText(probability: number): string {
  if (probability < 1 && probability > 0.99) return '> 99 %';
  return `${format.percent(probability, 0)} %`;
}

/**
 * What the history of a cell rests on: how many runs, which intervals, which device.
 *
 * @param history - of a cell
 * @returns sentences
 */
export function historyBasisText({ cell: { device, emulated }, series }: CellHistory): string {
  const runs = new Set(series.flatMap(({ points }) => points.map(({ run }) => run.id)));
  const settings = series.length > 1 ? ` in ${series.length} settings, each a line of its own` : '';
  return `n: ${plural(runs.size, 'run')}${settings}. Band: 95 % intervals. Device: ${device}${emulated ? ', emulated' : ''}.`;
}

/** A slow change as a sentence without its end. */
export function slowText({ cell: { name, metric }, series: { points }, slow }: CellSlowChange): string {
  const { run: first } = defined(points[0], 'the first point of a series');
  const { run: last } = defined(points.at(-1), 'the last point of a series');
  return (
    `${name}, ${metricNames[metric]}: ${sizeText(metric, slow.size)} over ${plural(points.length, 'run')} ` +
    `(p ${format.pValue(slow.p).replace(/^(?=\d)/, '= ')}), in ${rangeText(first, last)}, in steps too small to be seen one by one`
  );
}

/** A break as a sentence without its end. */
function breakText({ device, run, differences }: SettingBreak): string {
  return `${device} from ${dayOf(run)} on (${codeText(run)}): ${differences.map(differenceText).join('; ')}`;
}

/** How many runs of what, and from when to when. */
export function extentText({ runs, cells, branch }: History): string {
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) return 'no runs';
  const days = dayOf(first) === dayOf(last) ? `of ${dayOf(first)}` : `from ${dayOf(first)} to ${dayOf(last)}`;
  const where = branch.name === undefined ? '' : `, branch ${branch.name}`;
  return `${plural(runs.length, 'run')} ${days}${where}, ${plural(cells.length, 'series')}`;
}

/** Runs of other branches, as a sentence; nothing where there are none. */
function othersText({ branch: { name, others } }: History): string[] {
  const shown = others.map((other) =>
    other.branch === undefined
      ? `${plural(other.runs, 'run')} of an unknown branch`
      : `${plural(other.runs, 'run')} of ${other.branch}`,
  );
  return shown.length === 0 ? [] : [`Not on branch ${name ?? ''}, and left out: ${shown.join(', ')}.`];
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
      title: 'The setup changed: figures from before and after are not compared with each other',
      lines: history.breaks.map(breakText),
    },
  ].filter(({ lines }) => lines.length > 0);
}

/** From which size on a change counts: `2.0 % (top-1: 0.30 points)`. */
export function thresholdsText({ thresholds, cells }: History): string {
  const ofScores = [
    `top-1: ${format.percent(thresholds.accuracy, 2)} points`,
    ...(cells.some(({ metric }) => metric === 'cosine')
      ? [`${metricNames.cosine}: ${format.cosineValue(thresholds.cosine)}`]
      : []),
  ];
  return `${format.percent(thresholds.ratio)} % (${ofScores.join(', ')})`;
}

/** How the commit of the newest regression is found, as a sentence. */
function bisectText({ regressions }: HistoryFindings): string[] {
  const range = regressions[0]?.change.range;
  const [good, bad] = [range?.lastBefore, range?.firstAfter].map((run) =>
    run?.repository?.commit.slice(0, 9),
  );
  if (good === undefined || bad === undefined || good === bad) return [];
  return [
    `"edgeflex bisect" with --good ${good} --bad ${bad} measures the commits of the newest regression.`,
  ];
}

/** What is said when nothing is to be said, and what was left out. */
export function closing(history: History, findings: HistoryFindings): string[] {
  const { runs } = history;
  const { regressions, improvements, slow, open, others } = findings;
  const quiet = regressions.length + improvements.length + slow.length + open.length === 0;
  const limits = thresholdsText(history);
  return [
    ...bisectText(findings),
    ...othersText(history),
    ...(runs.length < 2 ? ['A single run has no history: changes become visible after a few runs.'] : []),
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
  const [old, now] = [before.split(','), after.split(',')];
  // Of a long recipe that is as long as before, only the options that changed are told.
  if (old.length > SHORT && old.length === now.length) {
    const changed = old.flatMap((part, index) => {
      const other = defined(now[index], 'a part of a setting');
      return part === other ? [] : [`${bare(part)} → ${bare(other)}`];
    });
    return `${name}: ${changed.join(', ')}`;
  }
  return `${name} ${text(before)} → ${text(after)}`;
}

/** Settings of more parts are not told as a whole. */
const SHORT = 3;

/** A part of a setting without the signs of JSON around it. */
function bare(part: string): string {
  return part.replace(/["{}[\]]/g, '').trim();
}

function plural(count: number, what: string): string {
  return `${format.integer(count)} ${what}${count === 1 || what === 'series' ? '' : 's'}`;
}
