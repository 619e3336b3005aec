import { beforeEach, describe, expect, it } from 'vitest';
import { addedRound, comparisonsOf, type ComparedCells } from '../../src/run/added.js';
import type { AddedRound, Cell, Subject, Variant } from '../../src/run/cell.js';
import { RunState } from '../../src/run/run-state.js';
import type { DeviceSession } from '../../src/run/session.js';
import { loadRun, findRun } from '../../src/store/read.js';
import type { CellRow } from '../../src/store/tables.js';
import { insertRound, insertRun, upsertCell, upsertDevice, upsertVariant } from '../../src/store/write.js';
import { planOf, type Plan } from '../../src/suite/plan.js';
import type { Suite } from '../../src/suite/read.js';
import { environment, fullMeasurement, labels, newRun, placeOf } from '../support/rows.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** fp32 and four variants of two models on two devices, at two batch sizes. */
function suiteOfMany(): Suite {
  const suite = runs.suite();
  const [fp32, int8] = suite.recipes as [Suite['recipes'][number], Suite['recipes'][number]];
  const named = ['a', 'b', 'c', 'd'].map((name) => ({ ...int8, recipe: { ...int8.recipe, name } }));
  return {
    ...suite,
    models: [suite.models[0]!, { ...suite.models[0]!, name: 'other' }],
    recipes: [fp32, ...named],
    devices: ['here.yaml', 'there.yaml'],
    performance: { batches: [1, 2], tier: 'rapid', rounds: 3, precision: 0.01, maxRounds: 12 },
  };
}

const rule = { asked: 0.01, maxRounds: 12, maxSeconds: 1000 };

let plan: Plan;
let cells: Cell[];
let comparison: ComparedCells;

/** A run in the store, whose cells have nothing measured. */
beforeEach(async () => {
  plan = planOf(suiteOfMany());
  const db = runs.db();
  await insertRun(db, newRun('run'));
  const of = { run_id: 'run' };
  const devices: number[] = [];
  for (const name of plan.suite.devices)
    devices.push(
      await upsertDevice(db, {
        ...{ ...of, name, profile_json: '{}', environment_json: JSON.stringify(environment), threads: 1 },
      }),
    );
  const variants: number[] = [];
  for (const [position, { model, recipe }] of plan.variants.entries()) {
    const { id } = await upsertVariant(db, {
      ...{ ...of, position, model: model.name, recipe: recipe.recipe.name, description: '', synthetic: 0 },
      ...{ artifact: 'key', file_bytes: 1000, parameters: 250, micro_batch: null, stages_json: '[]' },
    });
    variants.push(id);
  }
  const sessions = devices.map((id) => ({ id }) as unknown as DeviceSession);
  const made = plan.variants.map(
    (planned) => ({ planned, isBaseline: planned.recipe === plan.suite.recipes[0] }) as Variant,
  );
  const subjects = made.map((variant) => sessions.map((session) => ({ variant, session }) as Subject));
  cells = [];
  for (const { variant, device, scenario } of plan.cells) {
    const { id } = await upsertCell(db, {
      ...{ ...of, variant_id: variants[variant]!, device_id: devices[device]!, kind: scenario.kind },
      ...{ batch: scenario.batch, tier: null, rounds: 3, status: 'pending', reason: null },
    });
    const subject = subjects[variant]![device]!;
    cells.push({ id, subject, scenario, rounds: 3, status: 'pending', stored: new Set() });
  }
  [comparison] = comparisonsOf(cells) as [ComparedCells];
});

/** Stores a round of a cell with one latency. */
async function store({ cell, round }: AddedRound, milliseconds: number): Promise<void> {
  const measurement = fullMeasurement({ latencies: [milliseconds], conditions: [] });
  const place = { ...placeOf({ id: cell.id } as CellRow, round) };
  await insertRound(runs.db(), place, measurement, labels, false);
}

/** Latency of a variant: the first one's ratio to the baseline's never changes, those of the others keep changing. */
function latencyOf({ cell, round }: AddedRound): number {
  const index = comparison.variants.indexOf(cell);
  return index <= 0 ? 10 : 10 * (1 + 0.3 * Math.sin(index * (round + 1)));
}

/** Stores rounds of the whole comparison. */
async function storeRounds(first: number, last: number): Promise<void> {
  for (let round = first; round <= last; round++)
    for (const cell of [comparison.baseline, ...comparison.variants])
      await store({ cell, round }, latencyOf({ cell, round }));
}

/** The next added round, by the cells as the store has them: by their indices. */
async function next(
  round: number,
  comparisons = [comparison],
  seed = plan.suite.seed,
): Promise<{ readonly cell: number; readonly round: number }[]> {
  for (const [index, { status }] of (await rowsNow()).entries()) cells[index]!.status = status;
  const added = await addedRound(new RunState(runs.db(), cells), comparisons, rule, round, seed);
  return added.map(({ cell, round: number }) => ({ cell: indexOf(cell), round: number }));
}

function indexOf(cell: Cell): number {
  return cells.indexOf(cell);
}

function rowsNow(): Promise<CellRow[]> {
  return runs.db().selectFrom('cells').selectAll().orderBy('id').execute();
}

describe('the comparisons of a run', () => {
  it('are of the variants of a model with its fp32, on one device and at one batch size', () => {
    const comparisons = comparisonsOf(cells);
    expect(comparisons).toHaveLength(2 * 2 * 2);
    for (const { baseline, variants } of comparisons) {
      const nameOf = ({ subject }: Cell): string => subject.variant.planned.recipe.recipe.name;
      expect(nameOf(baseline)).toBe('fp32');
      expect(variants.map(nameOf)).toEqual(['a', 'b', 'c', 'd']);
      for (const { subject, scenario } of variants) {
        expect(subject.session).toBe(baseline.subject.session);
        expect([scenario.kind, scenario.batch]).toEqual(['performance', baseline.scenario.batch]);
        expect(subject.variant.planned.model).toBe(baseline.subject.variant.planned.model);
      }
    }
    const all = comparisons.flatMap(({ baseline, variants }) => [baseline, ...variants]);
    expect(new Set(all).size).toBe(all.length);
  });

  it('are none where there is nothing but fp32', () => {
    expect(comparisonsOf(cells.filter(({ subject }) => subject.variant.isBaseline))).toEqual([]);
  });
});

describe('an added round', () => {
  it('has every variant that is not known well enough once, and its fp32, and grows their cells', async () => {
    await storeRounds(0, 2);
    const round = await next(3);
    const all = [comparison.baseline, ...comparison.variants].map(indexOf);
    expect(round.map(({ cell }) => cell).sort((a, b) => a - b)).toEqual(all);
    expect(round.every((each) => each.round === 3)).toBe(true);
    const rows = await rowsNow();
    for (const [index, row] of rows.entries()) expect(row.rounds).toBe(all.includes(index) ? 4 : 3);
  });

  it('leaves out those that are, and ends them', async () => {
    await storeRounds(0, 9);
    const round = await next(10);
    const [known, ...others] = comparison.variants.map(indexOf);
    expect(round.map(({ cell }) => cell).sort((a, b) => a - b)).toEqual([
      indexOf(comparison.baseline),
      ...others,
    ]);
    const { cells: stored } = await loadRun(runs.db(), await findRun(runs.db(), 'run'));
    expect(stored[known!]!.row).toMatchObject({ status: 'done', rounds: 3 });
    expect(stored[known!]!.stopping).toEqual({ reason: 'precision', asked: 0.01, reached: 0 });
    for (const cell of others) expect(stored[cell]).toMatchObject({ row: { status: 'pending' } });
  });

  it('is none at the cap, where the fp32 ends with its variants', async () => {
    await storeRounds(0, 11);
    expect(await next(12)).toEqual([]);
    const { cells: stored } = await loadRun(runs.db(), await findRun(runs.db(), 'run'));
    const [known, ...others] = comparison.variants.map(indexOf);
    expect(stored[known!]!.stopping).toMatchObject({ reason: 'precision' });
    for (const cell of others) {
      expect(stored[cell]!.stopping).toMatchObject({ reason: 'cap', asked: 0.01 });
      expect(stored[cell]!.stopping!.reached).toBeGreaterThan(0.01);
    }
    expect(stored[indexOf(comparison.baseline)]).toMatchObject({
      row: { status: 'done' },
      stopping: undefined,
    });
  });

  it('is the same again when it was interrupted, whatever of it is stored already', async () => {
    await storeRounds(0, 2);
    const round = await next(3);
    // Alike so far, so that with this round they would be known well enough.
    for (const { cell, round: number } of round.slice(0, 2))
      await store({ cell: cells[cell]!, round: number }, 10);
    expect(await next(3)).toEqual(round);
  });

  it('has another order each time, and for another seed', async () => {
    await storeRounds(0, 7);
    const orders = [3, 4, 5, 6].map(async (round) => (await next(round)).map(({ cell }) => cell));
    const own = await Promise.all(orders);
    expect(new Set(own.map(String)).size).toBe(4);
    expect((await next(3, [comparison], 2)).map(({ cell }) => cell)).not.toEqual(own[0]);
  });

  it('has the cells of several comparisons mixed', async () => {
    const [first, second] = comparisonsOf(cells) as [ComparedCells, ComparedCells];
    const round = (await next(3, [first, second])).map(({ cell }) => cells[cell]!);
    const isFirst = round.map((cell) => cell === first.baseline || first.variants.includes(cell));
    expect(round).toHaveLength(10);
    expect(isFirst.lastIndexOf(true)).toBeGreaterThan(isFirst.indexOf(false));
    expect(isFirst.lastIndexOf(false)).toBeGreaterThan(isFirst.indexOf(true));
  });

  it('is none where the fp32 has failed: the variants are done with what they have', async () => {
    await storeRounds(0, 2);
    const state = new RunState(runs.db(), cells);
    await state.fail(comparison.baseline, {
      status: 'failed',
      reason: { kind: 'device', text: 'no memory' },
    });
    expect(await next(3)).toEqual([]);
    const { cells: stored } = await loadRun(runs.db(), await findRun(runs.db(), 'run'));
    for (const cell of comparison.variants)
      expect(stored[indexOf(cell)]).toMatchObject({
        row: { status: 'done', rounds: 3 },
        stopping: undefined,
      });
  });

  it('takes the fp32 in again when a variant that had failed is tried once more', async () => {
    await storeRounds(0, 2);
    const state = new RunState(runs.db(), cells);
    for (const cell of [comparison.baseline, ...comparison.variants.slice(1)]) await state.end(cell);
    const round = (await next(3)).map(({ cell }) => cell).sort((a, b) => a - b);
    expect(round).toEqual([comparison.baseline, comparison.variants[0]!].map(indexOf));
    expect((await rowsNow())[indexOf(comparison.baseline)]).toMatchObject({ status: 'pending', rounds: 4 });
  });
});
