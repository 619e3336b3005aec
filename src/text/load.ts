import {
  judgementOf,
  type Analysis,
  type CellName,
  type FailedCell,
  type VariantFigures,
} from '../analysis/analysis.js';
import type { OfflineFigures, ServerFigures } from '../analysis/figures/load.js';
import type { LoadOutcome } from '../stats/load.js';
import type { Estimate } from '../stats/interval.js';
import { labelOf } from '../analysis/label.js';
import { flagsText, signOf } from './flags.js';
import * as format from './format.js';
import type { Table } from './table.js';

type LoadFigures = ServerFigures | OfflineFigures;

/** What became of a rate, in a word or two. */
export const outcomeTexts: Readonly<Record<LoadOutcome, string>> = {
  held: 'held',
  late: 'p99 too late',
  'too-slow': 'model too slow',
  overloaded: 'queue grows',
  unfinished: 'not finished',
};

/**
 * What each variant bears: the highest rate of queries that arrive at random, and the throughput of queries that are all there.
 *
 * @param analysis - of a run
 * @returns without rows where no load was asked for
 */
export function loadTable(analysis: Analysis): Table {
  const rows = analysis.figures.flatMap((figures) => {
    const name = labelOf(figures, analysis);
    return [
      ...figures.loads.map((load) => rowOf(load, name, figures)),
      ...figures.failures.filter(isLoad).map((cell) => unmeasuredRow(cell, name, failedText(cell))),
      ...figures.pending.filter(isLoad).map((cell) => unmeasuredRow(cell, name, 'not measured yet')),
    ];
  });
  return {
    columns: [
      { key: 'variant', title: 'variant', align: 'left' },
      { key: 'load', title: 'load', align: 'left' },
      { key: 'batch', title: 'batch', align: 'right' },
      { key: 'rate', title: 'queries/s (95 %)', align: 'right' },
      { key: 'images', title: 'images/s (95 %)', align: 'right', spare: 4 },
      { key: 'gain', title: 'vs fp32 (95 %)', align: 'right' },
      { key: 'verdict', title: 'verdict', align: 'left', spare: 5 },
      { key: 'p99', title: 'p99 ms', align: 'right', spare: 3 },
      { key: 'busy', title: 'busy', align: 'right', spare: 2 },
      { key: 'delay', title: 'late start ms', align: 'right', spare: 1 },
    ],
    rows,
    notes: rows.length > 0 ? loadNotes(analysis) : [],
  };
}

/** A load as it is named: `server, p99 ≤ 20 ms`, `offline`. */
export function loadName(load: LoadFigures): string {
  return load.kind === 'offline' ? load.kind : `server, p99 ≤ ${format.milliseconds(load.bound)} ms`;
}

function isLoad({ kind }: CellName): boolean {
  return kind === 'server' || kind === 'offline';
}

function failedText({ status }: FailedCell): string {
  return status === 'unsupported' ? '∅ not supported' : '✗ failed';
}

function unmeasuredRow({ kind, batch }: CellName, variant: string, rate: string): Record<string, string> {
  return { variant, load: kind, batch: String(batch), rate };
}

function rowOf(load: LoadFigures, variant: string, figures: VariantFigures): Record<string, string> {
  const { batch, gain, flags, soundness } = load;
  const sign = signOf(flags);
  const marked = (text: string): string => (sign === '' ? text : `${text} ${sign}`);
  const metric = load.kind === 'server' ? 'rate' : 'throughput';
  const judgement = judgementOf(figures, metric, batch);
  const common = {
    ...{ variant, load: loadName(load), batch: String(batch) },
    gain: gain ? format.times(gain) : soundness.decides ? '' : 'not decided',
    verdict: judgement?.verdict ?? '',
  };
  if (load.kind === 'offline')
    return {
      ...common,
      rate: load.throughput ? format.amount(scaled(load.throughput, 1 / batch)) : '',
      images: load.throughput ? marked(format.amount(load.throughput)) : '',
    };
  const { rate, missed, rounds, hopeless, p99, utilisation, startDelay } = load;
  const none = `none in ${missed} of ${rounds} rounds${hopeless ? ': model too slow' : ''}`;
  return {
    ...common,
    rate: marked(rate ? format.amount(rate) : none),
    images: rate ? format.amount(scaled(rate, batch)) : '',
    p99: p99 === undefined ? '' : format.milliseconds(p99),
    busy: utilisation === undefined ? '' : `${format.percent(utilisation, 0)} %`,
    delay: format.milliseconds(startDelay),
  };
}

function scaled({ value, low, high }: Estimate, by: number): Estimate {
  return { value: value * by, low: low * by, high: high * by };
}

function loadNotes(analysis: Analysis): string[] {
  const all = analysis.figures.flatMap(({ loads }) => loads);
  const notes: string[] = [];
  if (all.some(({ kind }) => kind === 'server'))
    notes.push(
      'Server: queries arrive at random moments (Poisson), whatever the model does, and are served one at a time. The rate is the highest at ' +
        'which the p99 of the response time, from the scheduled arrival to the answer, stays within the bound and the queue does not grow: one search ' +
        'per round, geometric mean over the rounds. Busy: the share of the time in which the model works, at that rate. Late start: how ' +
        'late EdgeFlex started 1 % of the queries although no other was being served; it is part of their response time.',
    );
  if (all.some(({ kind }) => kind === 'offline'))
    notes.push('Offline: all queries are there from the start, and are served one after another.');
  for (const each of analysis.figures)
    for (const load of each.loads)
      if (load.flags.length > 0)
        notes.push(
          `${signOf(load.flags)} ${labelOf(each, analysis)}, ${loadName(load)}, batch ${load.batch}: ${flagsText(load.flags)}.`,
        );
  return notes;
}
