import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';
import type { Answer, Tests } from '../../analysis/procure/limits.js';
import type { Estimate } from '../../stats/interval.js';
import type { Standing } from '../../stats/ties.js';
import * as format from '../format.js';
import type { Table } from '../table.js';
import {
  answerNames,
  askedFor,
  costUnit,
  fleetText,
  given,
  missingOf,
  moneyText,
  quantitiesOf,
  sustainedText,
  termsText,
  unrankedNames,
} from './words.js';

const signs: Readonly<Record<Answer, string>> = { meets: '✓', fails: '✗', 'cannot tell': '?' };

/**
 * A procurement as a table that people read.
 *
 * @param procurement - what was found
 */
export function procurementTable(procurement: Procurement): Table {
  const { candidates, terms, currency } = procurement;
  const rows = candidates.map(rowOf);
  const latency = quantitiesOf(procurement).latency.name;
  const columns: Table['columns'] = [
    { key: 'place', title: 'rank by cost', align: 'left' },
    { key: 'device', title: 'device', align: 'left' },
    { key: 'variant', title: 'variant', align: 'left' },
    { key: 'answer', title: 'limits', align: 'left' },
    { key: 'cost', title: `${costUnit(procurement)} (95 %)`, align: 'right' },
    { key: 'total', title: `total ${currency ?? ''} (95 %)`, align: 'right', spare: 6 },
    { key: 'fleet', title: 'devices', align: 'right', spare: 7 },
    { key: 'price', title: `price each`, align: 'right', spare: 5 },
    { key: 'latency', title: `${latency} ms (95 %)`, align: 'right', spare: 9 },
    { key: 'accuracy', title: 'top-1 % (95 %)', align: 'right', spare: 10 },
    { key: 'memory', title: 'peak memory', align: 'right', spare: 4 },
    { key: 'throughput', title: 'images/s (95 %)', align: 'right', spare: 8 },
    { key: 'sustained', title: 'sustained (95 %)', align: 'right', spare: 8 },
    { key: 'energy', title: 'J per image', align: 'right', spare: 3 },
    { key: 'energyPlace', title: 'rank by energy', align: 'left', spare: 2 },
    { key: 'pareto', title: 'Pareto front', align: 'left', spare: 1 },
  ];
  const hidden =
    terms?.use.kind === 'load' ? [] : ['fleet', 'sustained', ...(terms === undefined ? ['total'] : [])];
  return {
    columns: columns.filter(
      ({ key }) =>
        !hidden.includes(key) && rows.some((row) => ![undefined, '', format.NONE].includes(row[key])),
    ),
    rows,
    notes: notesOf(procurement),
  };
}

function rowOf(each: Ranked): Readonly<Record<string, string>> {
  const { tests, latency, memory, accuracy, throughput, energy, offer, ownership } = each;
  return {
    place: each.byCost ? placeText(each.byCost) : each.unranked ? unrankedNames[each.unranked] : format.NONE,
    device: each.deviceLabel,
    variant: each.variant,
    answer: Object.keys(tests).length === 0 ? '' : answerNames[each.answer],
    cost: amount(each.cost),
    total: amount(ownership?.total),
    fleet: signed(tests, 'fleet', ownership?.fleet, fleetText),
    price: offer?.price ? `${given(offer.price.amount)} ${offer.price.currency}` : format.NONE,
    latency: signed(tests, 'latency', latency, format.latency),
    memory: signed(tests, 'memory', memory, format.mebibytesWithin),
    accuracy: signed(tests, 'accuracy', accuracy, format.share),
    throughput: signed(tests, 'throughput', throughput, format.amount),
    sustained: each.sustained ? sustainedText(each.sustained) : format.NONE,
    energy: `${signed(tests, 'energy', energy, format.amount)}${energy?.source === 'profile' ? ' *' : ''}`,
    energyPlace: each.byEnergy ? placeText(each.byEnergy) : format.NONE,
    pareto:
      each.pareto === undefined ? format.NONE : each.pareto === 'cannot tell' ? 'not known' : each.pareto,
  };
}

/** `1`, or `1, tie of 3` where the ones in it are not distinguishable. */
export function placeText({ tie, tied }: Standing): string {
  return tied === 1 ? String(tie) : `${tie}, tie of ${tied}`;
}

function amount(estimate: Estimate | undefined): string {
  return estimate ? moneyText(estimate) : format.NONE;
}

/** A figure, and how it stands to its limit where there is one. */
function signed(
  tests: Tests,
  limited: keyof Tests,
  estimate: Estimate | undefined,
  inWords: (estimate: Estimate) => string,
): string {
  const test = tests[limited];
  const figure = estimate ? inWords(estimate) : format.NONE;
  return test === undefined ? figure : `${figure} ${signs[test.answer]}`;
}

function notesOf(procurement: Procurement): string[] {
  const { runs, batch, images, candidates, emulatedToo, terms } = procurement;
  const asked = askedFor(procurement).join('; ') || 'none';
  const where = `${runs.length === 1 ? 'Run' : 'Runs'} ${runs.join(', ')}, batch ${batch}${images ? `, images of ${images.name}` : ''}.`;
  const notes = [
    `${where} Constraints: ${asked}.`,
    ...termsText(procurement),
    'Ranked by cost among those that qualify. A tie contains candidates whose intervals all overlap: they are not distinguishable, and are listed by name. Each candidate of a later tie certainly costs more than at least one in the tie before it.',
  ];
  if (Object.keys(candidates[0]?.tests ?? {}).length > 0)
    notes.push(
      '✓ the whole interval meets the limit, ✗ none of it does, ? not known: the interval lies on both sides, it rests on one round or on too few queries, other processes disturbed it, or nothing was measured.',
    );
  notes.push(
    'Latency: distribution-free interval, widened to the quantiles of the single rounds. Memory: mean, minimum and maximum over the rounds.',
  );
  if (terms !== undefined)
    notes.push(
      'The interval of a cost covers every combination of throughput, sustained rate and power within their intervals.',
    );
  if (candidates.some(({ energy }) => energy?.source === 'profile'))
    notes.push('* Energy computed from the power in the profile, not measured in the run.');
  if (candidates.some(({ emulated }) => emulated))
    notes.push(
      emulatedToo
        ? 'Emulated boards and software GPUs are ranked on request: THEIR FIGURES ARE THE EMULATOR’S AND SAY NOTHING ABOUT THE HARDWARE.'
        : 'Emulated boards and software GPUs are not ranked: their timings are the emulator’s, not those of the hardware.',
    );
  const missing = missingOf(procurement);
  if (missing.length > 0) notes.push(`Not measured or not stated: ${missing.join('; ')}.`);
  return notes;
}
