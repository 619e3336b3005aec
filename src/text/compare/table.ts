import { signOf } from '../flags.js';
import * as format from '../format.js';
import type { Column, Table } from '../table.js';
import type { Compared } from '../../analysis/compare/compare.js';
import { compareNoteText, differenceText } from './obstacles.js';
import type { ComparisonReport } from '../../analysis/compare/gates.js';
import { gateName } from '../../base/gate.js';
import { boundText, variantOf } from './label.js';
import { doubtSentences, uncomparedSentences } from './summary.js';
import { inWords, metricNames, quantity } from './words.js';

const columns: readonly Column[] = [
  { key: 'variant', title: 'variant', align: 'left' },
  { key: 'batch', title: 'batch', align: 'right' },
  { key: 'metric', title: 'figure', align: 'left' },
  { key: 'reference', title: 'reference', align: 'right', spare: 2 },
  { key: 'value', title: 'new', align: 'right', spare: 3 },
  { key: 'difference', title: 'difference (95 %)', align: 'left' },
  { key: 'p', title: 'p (Holm)', align: 'right', spare: 1 },
  { key: 'gate', title: 'gate', align: 'left' },
];

/**
 * The table of a comparison: a row for each figure of each cell, in the order of the suite, with what a reader must know.
 *
 * @param report - of a comparison
 */
export function comparisonTable(report: ComparisonReport): Table {
  const { comparison, gates } = report;
  const order = new Map(
    comparison.run.variants.map(({ model, recipe }, index) => [`${model} / ${recipe}`, index]),
  );
  const place = ({ subject: { model, recipe } }: Compared): number =>
    order.get(`${model} / ${recipe}`) ?? order.size;
  const sorted = [...comparison.compared].sort(
    (a, b) => place(a) - place(b) || (a.subject.batch ?? 0) - (b.subject.batch ?? 0),
  );
  let before = '';
  const rows = sorted.map(({ subject, judgement }) => {
    const { metric, adjustedP } = judgement;
    const name = variantOf(subject, comparison);
    const own = gates.filter((result) => result.gate.metric === metric && result.subject === subject);
    const sign = signOf(
      comparison.doubts.filter((each) => each.subject === subject).flatMap(({ flags }) => flags),
    );
    const row = {
      variant: name === before ? '' : name,
      batch: subject.batch === undefined ? '' : String(subject.batch),
      metric: `${metricNames[metric]}${subject.bound === undefined ? '' : ` at ${boundText(subject.bound)}`}`,
      reference: quantity(metric, judgement.reference),
      value: quantity(metric, judgement.value),
      difference: `${inWords(judgement)}${marked(metric) && sign !== '' ? ` ${sign}` : ''}`,
      p: adjustedP === undefined ? '' : format.pValue(adjustedP),
      gate: own.map(({ gate, outcome }) => `${signs[outcome]} ${gateName(gate)}`).join(' '),
    };
    before = name;
    return row;
  });
  return {
    columns: columns.filter(({ key }) => rows.some((row) => row[key as keyof typeof row] !== '')),
    rows,
    notes: [
      ...comparison.forced.map((each) => `Compared despite differences: ${differenceText(each)}.`),
      ...readingNotes(report),
    ],
  };
}

/** What speaks against a cell's timing says nothing of its memory. */
function marked(metric: string): boolean {
  return !['memory', 'accuracy', 'cosine', 'file'].includes(metric);
}

const signs = { held: '✓', broken: '✗', 'cannot tell': '?', 'not judged': '–' } as const;

function readingNotes(report: ComparisonReport): string[] {
  const { compared, notes, inTurn, reference, run } = report.comparison;
  const explained = [
    'A difference counts if it is significant (p ≤ 0.05 after Holm correction over all cells) and at least the minimum detectable effect of the device.',
  ];
  const has = (metric: string): boolean => compared.some(({ judgement }) => judgement.metric === metric);
  if (has('latency'))
    explained.push(
      'Latency and memory: ratios of the medians and peaks of the rounds; 3 % slower means 3 % more time.',
    );
  if (has('rate') || has('throughput'))
    explained.push(
      'Highest rate and offline throughput: ratios of the figures of the rounds; 3 % higher means 3 % more in the same time.',
    );
  if (has('cosine'))
    explained.push(
      'Cosine to fp32: the features of each run compared with those of its own fp32; the change of the mean over the same images, with a paired t-test.',
    );
  if (has('accuracy')) explained.push('Accuracy: exact McNemar test on the same images.');
  if (inTurn.size > 0 && reference.row.id !== run.row.id)
    explained.push(
      `Measured in turn on ${[...inTurn].join(', ')}: rounds of the same number are compared with each other, so that a machine that slows down for a while hits both runs alike.`,
    );
  return [
    ...explained,
    ...doubtSentences(report),
    ...uncomparedSentences(report),
    ...notes.map(compareNoteText),
  ];
}
