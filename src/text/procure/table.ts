import { failureText } from '../failures.js';
import type { Estimate } from '../../stats/interval.js';
import * as format from '../format.js';
import type { Table } from '../table.js';
import type { Answer, Test } from '../../analysis/procure/candidate.js';
import type { Constraints } from '../../analysis/procure/constraints.js';
import type { Procurement, Ranked } from '../../analysis/procure/procurement.js';

const signs: Readonly<Record<Answer, string>> = { meets: '✓', fails: '✗', 'cannot tell': '?' };

/**
 * A procurement as a table that people read.
 *
 * @param procurement - what was found
 */
export function procurementTable(procurement: Procurement): Table {
  const { constraints, candidates } = procurement;
  const rows = candidates.map(rowOf);
  const columns: Table['columns'] = [
    { key: 'device', title: 'device', align: 'left' },
    { key: 'variant', title: 'variant', align: 'left' },
    { key: 'answer', title: 'constraints', align: 'left' },
    { key: 'latency', title: latencyTitle(constraints), align: 'right' },
    { key: 'memory', title: 'peak memory', align: 'right' },
    { key: 'accuracy', title: 'top-1 % (95 %)', align: 'right' },
    { key: 'throughput', title: 'images/s (95 %)', align: 'right' },
    { key: 'cost', title: `${currencyOf(candidates)} per image/s`, align: 'right' },
    { key: 'energy', title: 'J per image', align: 'right' },
    { key: 'rank', title: 'rank: cost, energy', align: 'right' },
    { key: 'pareto', title: 'Pareto front', align: 'left' },
  ];
  return {
    columns: columns.filter(({ key }) => rows.some((row) => (row[key] ?? '') !== '')),
    rows,
    notes: notesOf(procurement),
  };
}

function rowOf(each: Ranked): Readonly<Record<string, string>> {
  const { device, variant, answer, latency, memory, accuracy, throughput, cost, energy, failure } = each;
  const places = [each.byCost, each.byEnergy];
  return {
    ...{ device, variant },
    answer: failure === undefined ? answer : `${answer}: not measured`,
    latency: tested(latency, format.latency),
    memory: tested(memory, range),
    accuracy: tested(accuracy, format.share),
    throughput: throughput ? withInterval(throughput) : format.NONE,
    cost: cost ? withInterval(cost) : format.NONE,
    energy: energy ? `${withInterval(energy)}${energy.source === 'profile' ? ' *' : ''}` : format.NONE,
    rank: places.every((place) => place === undefined)
      ? format.NONE
      : places.map((place) => place ?? format.NONE).join(', '),
    pareto: each.pareto ?? 'not ranked',
  };
}

function tested(test: Test | undefined, inWords: (estimate: Estimate) => string): string {
  if (test === undefined) return '';
  return `${test.estimate ? inWords(test.estimate) : format.NONE} ${signs[test.answer]}`;
}

function withInterval({ value, low, high }: Estimate): string {
  return `${format.significant(value)} (${format.significant(low)}–${format.significant(high)})`;
}

function range({ value, low, high }: Estimate): string {
  const mebibytes = (bytes: number): string => format.mebibytes(bytes).replace(' MiB', '');
  return `${format.mebibytes(value)} (${mebibytes(low)}–${mebibytes(high)})`;
}

function latencyTitle({ latency }: Constraints): string {
  return latency ? `p${format.significant(latency.quantile * 100, 2)} ms (95 %)` : 'latency';
}

function currencyOf(candidates: readonly Ranked[]): string {
  return candidates.find(({ cost }) => cost)?.cost?.currency ?? 'price';
}

function notesOf({ runId, suite, batch, constraints, candidates, emulatedToo }: Procurement): string[] {
  const { latency, memory, accuracy } = constraints;
  const asked = [
    latency &&
      `at most ${format.milliseconds(latency.milliseconds)} ms for ${format.percent(latency.quantile, 0)} % of the queries`,
    memory === undefined
      ? undefined
      : `at most ${format.mebibytes(memory)} of peak memory over the runtime's base`,
    accuracy === undefined ? undefined : `at least ${format.percent(accuracy)} % right`,
  ].filter((each) => each !== undefined);
  const notes = [
    `Run ${runId} of ${suite}, batch ${batch}. Asked for: ${asked.join('; ') || 'nothing'}.`,
    '✓ the whole interval keeps to the limit, ✗ none of it does, ? it lies on both sides, or was not measured.',
    'Latency: distribution-free interval, widened to the quantiles of the single rounds. Memory: mean, least and most of the rounds.',
    'Pareto: by cost, energy, throughput and accuracy where they are known; what intervals do not decide is not decided.',
  ];
  if (candidates.some(({ energy }) => energy?.source === 'profile'))
    notes.push('* Energy from the power that the profile states, not measured in the run.');
  if (candidates.some(({ emulated }) => emulated))
    notes.push(
      emulatedToo
        ? 'What is emulated, boards and GPUs that the processor plays, is ranked because that was asked for: ITS FIGURES ARE THE EMULATOR’S AND SAY NOTHING OF THE HARDWARE.'
        : 'What is emulated, boards and GPUs that the processor plays, is not ranked: its timings are the emulator’s, not those of the hardware.',
    );
  for (const { device, variant, failure } of candidates)
    if (failure !== undefined) notes.push(`${variant} on ${device}: ${format.oneLine(failureText(failure))}`);
  return notes;
}
