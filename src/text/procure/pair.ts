import type { DevicePair, PairFigures, Side, Unmatched } from '../../analysis/procure/pair.js';
import type { Estimate } from '../../stats/interval.js';
import * as format from '../format.js';
import type { Table } from '../table.js';

const unmatchedTexts: Readonly<Record<Unmatched, (first: string, second: string) => string>> = {
  'only on the first': (first) => `timed on ${first} alone`,
  'only on the second': (_, second) => `timed on ${second} alone`,
  'another artifact': () => 'not the same artifact on both: made by other versions or from other weights',
  'no common batch size': () => 'timed at no common batch size',
};

/**
 * Two devices side by side, as a table that people read.
 *
 * @param pair - the devices
 * @param currency - of the prices; undefined where there is none
 */
export function pairTable(pair: DevicePair, currency: string | undefined): Table {
  const { first, second, figures, unmatched } = pair;
  const namesModels = new Set([...figures, ...unmatched].map(({ model }) => model)).size > 1;
  const nameOf = ({ model, recipe }: { model: string; recipe: string }): string =>
    namesModels ? `${model} · ${recipe}` : recipe;
  const rows = figures.map((each) => ({ variant: nameOf(each), ...rowOf(each) }));
  const columns: Table['columns'] = [
    { key: 'variant', title: 'variant', align: 'left' },
    { key: 'batch', title: 'batch', align: 'right' },
    { key: 'latencies', title: `latency ms: ${first.label} → ${second.label}`, align: 'right' },
    { key: 'speed', title: `speed of ${second.label} (95 %)`, align: 'right' },
    { key: 'memories', title: 'peak memory', align: 'right', spare: 4 },
    { key: 'memory', title: 'memory ratio (95 %)', align: 'right', spare: 3 },
    { key: 'top1', title: 'top-1 %', align: 'right', spare: 6 },
    { key: 'agreement', title: 'same class % (95 %)', align: 'right', spare: 5 },
    { key: 'mcnemar', title: 'McNemar p', align: 'right', spare: 1 },
    { key: 'costs', title: `${currency ?? 'price'} per image/s`, align: 'right', spare: 7 },
    { key: 'cost', title: 'cost ratio (95 %)', align: 'right', spare: 8 },
  ];
  return {
    columns: columns.filter(({ key }) =>
      rows.some((row) => (row as Readonly<Record<string, string>>)[key] !== ''),
    ),
    rows,
    notes: notesOf(pair, nameOf),
  };
}

function rowOf({ first, second, ...each }: PairFigures): Readonly<Record<string, string>> {
  const both = (of: (side: Side) => Estimate | undefined, inWords: (value: number) => string): string => {
    const [a, b] = [of(first), of(second)];
    return a || b ? [a, b].map((one) => (one ? inWords(one.value) : format.NONE)).join(' → ') : '';
  };
  return {
    batch: String(each.batch),
    latencies: both(({ latency }) => latency, format.milliseconds),
    speed: each.speed ? format.times(each.speed) : 'not decided',
    memories: both(({ memory }) => memory, format.mebibytes),
    memory: each.memory ? format.times(each.memory) : '',
    top1: both(
      ({ top1 }) => top1,
      (value) => format.percent(value, 2),
    ),
    agreement: each.agreement ? format.share(each.agreement.same) : '',
    mcnemar: each.agreement?.mcnemarP === undefined ? '' : format.pValue(each.agreement.mcnemarP),
    costs: both(({ cost }) => cost, format.significant),
    cost: each.cost ? format.times(each.cost) : '',
  };
}

function notesOf(
  { first, second, figures, unmatched }: DevicePair,
  nameOf: (variant: { model: string; recipe: string }) => string,
): string[] {
  const runs = [...new Set(figures.flatMap((each) => [each.first.runId, each.second.runId]))];
  const notes = [
    `${runs.length === 1 ? 'Run' : 'Runs'} ${runs.join(', ')}. A speed above 1 says that ${second.label} is faster; ratios of memory and cost are those of ${second.label} to ${first.label}.`,
    'Speed: ratio of the geometric means of the rounds’ medians, with Welch’s interval; not decided where one side has a single round or was disturbed. Memory is compared only where both devices know it by the same means.',
  ];
  for (const { label, price, emulated } of [first, second]) {
    if (price === undefined) notes.push(`${label} has no price in the catalogue: its cost is not known.`);
    if (emulated) notes.push(`${label} is not the hardware it looks like: its timings are the emulator’s.`);
  }
  for (const each of unmatched)
    notes.push(`${nameOf(each)} is not compared: ${unmatchedTexts[each.why](first.label, second.label)}.`);
  return notes;
}
