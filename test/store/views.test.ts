import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Analysis, VariantFigures } from '../../src/analysis/analysis.js';
import { analyse } from '../../src/analysis/analysis.js';
import { soundnessOf } from '../../src/analysis/figures/soundness.js';
import { isEmulated } from '../../src/analysis/label.js';
import { isScored } from '../../src/analysis/figures/accuracy.js';
import { packageRoot } from '../../src/base/paths.js';
import { databaseReference } from '../../src/report/database-reference.js';
import { hashJson } from '../../src/base/hash.js';
import { seededRandom } from '../../src/base/random.js';
import { Database } from '../../src/base/sqlite.js';
import { otherCores } from '../../src/protocol/disturbance.js';
import { pairedOutcomes } from '../../src/stats/mcnemar.js';
import type { Estimate } from '../../src/stats/interval.js';
import { responseTail, serviceTimes, utilisation } from '../../src/stats/load.js';
import { describedTables } from '../../src/store/described-tables.js';
import type { ColumnDescription, ColumnDescriptions } from '../../src/store/description.js';
import { openStore } from '../../src/store/open.js';
import { findRun, listRuns, loadRun, type StoredCell } from '../../src/store/read.js';
import { repositoryOf } from '../../src/store/repository.js';
import { views } from '../../src/store/views/list.js';
import { sqliteParts } from '../../src/store/views/parts.js';
import { insertRound } from '../../src/store/write.js';
import { disturbedExample, type Row } from '../analysis/support/disturbed.js';
import { storeHistory } from '../analysis/support/history.js';
import { storedExample } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';
import { fullMeasurement, placeOf, storeCell } from '../support/rows.js';

const folder = useFolder();

function rowsOf(database: Database, view: string): Row[] {
  return database.prepare(`select * from ${view}`).all() as Row[];
}

/** Null for what is not known, and numbers that are equal but for rounding. */
function alike(found: unknown, expected: number | undefined, place: string): void {
  if (expected === undefined || Number.isNaN(expected)) expect(found, place).toBeNull();
  else {
    expect(found, place).toBeTypeOf('number');
    expect(
      Math.abs(Number(found) - expected),
      `${place}: ${String(found)} and ${expected}`,
    ).toBeLessThanOrEqual(1e-7 * Math.max(Math.abs(expected), 1e-3));
  }
}

function alikeEstimate(
  row: Row,
  name: string,
  unit: string,
  expected: Estimate | undefined,
  place: string,
): void {
  const end = unit === '' ? '' : `_${unit}`;
  alike(row[`${name}${end}`], expected?.value, `${place} ${name}`);
  alike(row[`${name}_low${end}`], expected?.low, `${place} ${name}, low`);
  alike(row[`${name}_high${end}`], expected?.high, `${place} ${name}, high`);
}

function isOfCell(row: Row, { variant, device }: VariantFigures): boolean {
  return (
    row['model'] === variant.model && row['recipe'] === variant.recipe && row['device'] === device.row.name
  );
}

function cellOf(analysis: Analysis, id: unknown): StoredCell {
  const cell = analysis.run.cells.find(({ row }) => row.id === id);
  if (cell === undefined) throw new Error(`no cell ${String(id)}`);
  return cell;
}

/** Whether a value is what a column is described to hold. */
function fits(value: unknown, { type, mayBeNull }: ColumnDescription): boolean {
  if (value === null) return mayBeNull === true;
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'real':
      return Number.isFinite(value);
    case 'flag':
      return value === 0 || value === 1;
    case 'moment':
      return typeof value === 'string' && !Number.isNaN(Date.parse(value));
    case 'json':
      return typeof value === 'string' && JSON.parse(value) !== undefined;
    case 'bytes':
      return Buffer.isBuffer(value);
    case 'text':
      return typeof value === 'string';
  }
}

describe('what is described', () => {
  const relations: [string, ColumnDescriptions][] = [
    ...views.map(({ name, columns }): [string, ColumnDescriptions] => [name, columns]),
    ...Object.entries(describedTables).map(([name, { columns }]): [string, ColumnDescriptions] => [
      name,
      columns,
    ]),
  ];

  it('are all tables and views of the database, and nothing else', async () => {
    const { database } = await storedExample(folder('results.sqlite'), { smooth: true });
    const names = database
      .prepare("select name from sqlite_master where type in ('table', 'view')")
      .pluck()
      .all();
    expect(names.filter((name) => name !== 'kysely_migration').sort()).toEqual(
      relations.map(([name]) => name).sort(),
    );
  });

  it('are all columns in their order, with values of their type', async () => {
    const { database } = await disturbedExample(folder('results.sqlite'), 1);
    for (const [name, columns] of relations) {
      const statement = database.prepare(`select * from ${name}`);
      const found = statement.columns().map((column) => column.name);
      // Tables grow at the end; the description says what is read first.
      if (name.startsWith('v_')) expect(found, name).toEqual(Object.keys(columns));
      else expect([...found].sort(), name).toEqual(Object.keys(columns).sort());
      for (const row of statement.all() as Row[])
        for (const [column, description] of Object.entries(columns))
          expect(fits(row[column], description), `${name}.${column}: ${String(row[column])}`).toBe(true);
    }
  });

  it('says the unit of each column whose name ends in one', () => {
    const units = { ms: 'ms', bytes: 'bytes', s: 's' };
    for (const { name, columns } of views)
      for (const [column, { unit }] of Object.entries(columns))
        for (const [end, expected] of Object.entries(units))
          if (column.endsWith(`_${end}`) && !column.endsWith('_per_s'))
            expect(unit, `${name}.${column}`).toBe(expected);
  });
});

describe.each([1, 2, 3])('views of a disturbed run (%i)', (seed) => {
  it('have the latencies, speed-ups and processor time of the analysis', async () => {
    const { analysis, database } = await disturbedExample(folder('results.sqlite'), seed);
    const rows = rowsOf(database, 'v_latency');
    const figures = analysis.figures.flatMap((each) => each.latencies.map((latency) => ({ each, latency })));
    expect(rows).toHaveLength(figures.length);
    for (const { each, latency } of figures) {
      const row = rows.find((one) => isOfCell(one, each) && one['batch'] === latency.batch)!;
      const place = `${each.variant.recipe} ${each.device.row.name} ${latency.batch}`;
      expect(row, place).toMatchObject({
        ...{ tier: latency.tier, rounds: latency.rounds, queries: latency.queries },
        ...{ disturbed_rounds: latency.soundness.disturbed, decided: Number(latency.soundness.decides) },
        speedup_rounds: latency.speedup?.rounds ?? null,
      });
      alikeEstimate(row, 'median', 'ms', latency.median, place);
      alikeEstimate(row, 'images', 'per_s', latency.throughput, place);
      alikeEstimate(row, 'cpu', 'ms', latency.cpuTime, place);
      alikeEstimate(row, 'speedup', '', latency.speedup, place);
      alike(row['load_ms'], latency.load, place);
      alike(row['first_ms'], latency.firstRun, place);
    }
  });

  it('say which rounds count, and what disturbed the others', async () => {
    const { analysis, database } = await disturbedExample(folder('results.sqlite'), seed);
    const rows = rowsOf(database, 'v_disturbances');
    let disturbed = 0;
    for (const cell of analysis.run.cells) {
      const { rounds, by, decides } = soundnessOf(cell);
      const own = rows.filter((row) => row['cell_id'] === cell.row.id);
      expect(own.filter((row) => row['counts'] === 1).map((row) => row['round_id'])).toEqual(
        rounds.map(({ row }) => row.id),
      );
      for (const row of own) {
        const round = cell.rounds.find((each) => each.row.id === row['round_id'])!;
        alike(row['other_cores'], otherCores(round.conditions), `round ${round.row.id}`);
        expect(row['decided']).toBe(Number(decides));
      }
      const kinds = new Set(by.map(({ kind }) => kind));
      expect(own.some((row) => row['moved'] === 1)).toBe(kinds.has('moved'));
      expect(own.some((row) => row['throttled'] === 1)).toBe(kinds.has('throttled'));
      expect(own.some((row) => Number(row['slow_share']) > 0.15)).toBe(kinds.has('slowed'));
      expect(own.some((row) => Number(row['other_cores']) > 0.15)).toBe(kinds.has('other-load'));
      disturbed += own.filter((row) => row['disturbed'] === 1).length;
    }
    expect(disturbed).toBeGreaterThan(5);
  });

  it('have the memory of the analysis', async () => {
    const { analysis, database } = await disturbedExample(folder('results.sqlite'), seed, (changed) => {
      // A round that takes nothing, one of another means, and means of older versions.
      if (seed === 2)
        changed.exec(`update memory set bytes = 1 where round_id = 3 and phase in ('load', 'first')`);
      if (seed === 2)
        changed.exec(
          `update rounds set memory_means = 'rusage-of-process' where id in (select min(id) from rounds group by cell_id)`,
        );
      if (seed === 3) changed.exec('update rounds set memory_means = null, peak_is_of_phase = id % 2');
      if (seed === 1)
        changed.exec(
          `delete from rounds where round > 0 and cell_id in (select c.id from cells c join variants v on v.id = c.variant_id where recipe = 'pruned')`,
        );
    });
    const rows = rowsOf(database, 'v_memory');
    const figures = analysis.figures.flatMap((each) =>
      each.latencies.flatMap(({ batch, memory }) => (memory ? [{ each, batch, memory }] : [])),
    );
    expect(rows).toHaveLength(figures.length);
    for (const { each, batch, memory } of figures) {
      const row = rows.find((one) => isOfCell(one, each) && one['batch'] === batch)!;
      const place = `${each.variant.recipe} ${batch}`;
      expect(row['memory_means'], place).toBe(memory.means);
      alikeEstimate(row, 'peak_memory', 'bytes', memory.estimate, place);
      alike(row['most_memory_bytes'], memory.range.high, place);
      alike(row['base_memory_bytes'], memory.base, place);
      alike(row['memory_ratio'], memory.reduction === undefined ? undefined : 1 - memory.reduction, place);
    }
  });

  it('have the accuracies of the analysis, and the images that changed', async () => {
    const { analysis, database } = await disturbedExample(folder('results.sqlite'), seed, (changed) => {
      if (seed === 2)
        changed.exec(`update variants set card_json = '{"dataset":"other"}' where recipe = 'int8'`);
      if (seed === 3)
        changed.exec(
          `update predictions set predicted = label where round_id in (select min(id) from rounds)`,
        );
      if (seed === 3) changed.exec(`delete from predictions where image = 7 and round_id % 2 = 0`);
    });
    const rows = rowsOf(database, 'v_accuracy');
    const changes = rowsOf(database, 'v_changed_answers');
    const scored = analysis.figures.filter(({ accuracy }) => accuracy !== undefined);
    expect(rows).toHaveLength(scored.length);
    for (const figures of scored) {
      const accuracy = figures.accuracy!;
      const row = rows.find((one) => isOfCell(one, figures))!;
      const cell = cellOf(analysis, row['cell_id']);
      const place = `${figures.variant.model} ${figures.variant.recipe} ${figures.device.row.name}`;
      expect(row, place).toMatchObject({
        ...{ images: accuracy.images, correct: accuracy.correct ?? null },
        scored: Number(isScored(figures.variant, analysis.run.data)),
      });
      alikeEstimate(row, 'top1', '', accuracy.top1, place);
      alikeEstimate(row, 'same_class', '', accuracy.agreement, place);
      alike(row['test_set_s'], accuracy.testSetSeconds, place);
      const fp32 = analysis.run.cells.find(
        (each) =>
          each.row.kind === 'accuracy' &&
          each.variant.recipe === 'fp32' &&
          each.variant.model === cell.variant.model &&
          each.device === cell.device,
      )!;
      const { labels, predicted } = cell.predictions!;
      if (accuracy.mcnemarP === undefined) expect(row['lost'], place).toBeNull();
      else {
        const { onlyFirst, onlySecond } = pairedOutcomes(labels, fp32.predictions!.predicted, predicted);
        expect([row['lost'], row['gained']], place).toEqual([onlyFirst, onlySecond]);
      }
      if (accuracy.agreement)
        expect(
          changes.filter((one) => one['cell_id'] === cell.row.id),
          place,
        ).toHaveLength(Math.round(accuracy.images * (1 - accuracy.agreement.value)));
    }
  });
});

describe('views of a run', () => {
  it('have the sizes, operators and failures of the analysis', async () => {
    const { analysis, database } = await storedExample(folder('results.sqlite'), {}, (changed) => {
      changed.exec(`update cells set file_bytes = 7 where variant_id = 2`);
      changed.exec(`update kernels set gpu_milliseconds = 3 where op_type = 'Softmax' and round_id % 2 = 0`);
    });
    const sizes = rowsOf(database, 'v_variants');
    const operators = rowsOf(database, 'v_operators');
    for (const figures of analysis.figures) {
      const own = sizes.filter((row) => isOfCell(row, figures));
      const fp32 = analysis.figures.find(
        ({ variant, device, isBaseline }) =>
          isBaseline && variant.model === figures.variant.model && device === figures.device,
      )!;
      expect(own).toMatchObject([{ file_bytes: figures.fileBytes, parameters: figures.parameters }]);
      alike(own[0]!['file_ratio'], figures.fileBytes! / fp32.fileBytes!, figures.variant.recipe);
      alike(own[0]!['parameter_ratio'], figures.parameters! / fp32.parameters!, figures.variant.recipe);
      const kernels = operators.filter((row) => isOfCell(row, figures));
      expect(kernels).toHaveLength(figures.kernels.length);
      for (const { opType, milliseconds, share, calls } of figures.kernels) {
        const row = kernels.find((one) => one['op_type'] === opType)!;
        expect(row).toMatchObject({ calls, operator_ms: milliseconds, batch: figures.kernelBatch });
        alike(row['share'], share, opType);
      }
    }
    const failures = analysis.figures.flatMap((each) => each.failures);
    expect(rowsOf(database, 'v_failures')).toMatchObject(
      failures.map(({ kind, batch, status, reason }) => ({
        kind,
        batch,
        status,
        reason: JSON.stringify(reason),
      })),
    );
  });

  it('have every sample, prediction and cell, and no other', async () => {
    const { analysis, database } = await storedExample(folder('results.sqlite'));
    const { cells } = analysis.run;
    const samples = rowsOf(database, 'v_samples');
    const predictions = rowsOf(database, 'v_predictions');
    const listed = rowsOf(database, 'v_cells');
    expect(listed.map((row) => row['cell_id'])).toEqual(cells.map(({ row }) => row.id));
    for (const { row, rounds, predictions: own } of cells) {
      const times = samples.filter((each) => each['cell_id'] === row.id).map((each) => each['latency_ms']);
      expect(times).toEqual(rounds.flatMap((round) => round.samples));
      const classes = predictions.filter((each) => each['cell_id'] === row.id);
      expect(classes.map((each) => each['predicted'])).toEqual(own?.predicted ?? []);
      expect(listed.find((each) => each['cell_id'] === row.id)).toMatchObject({
        ...{ status: row.status, rounds: rounds.length, queries: times.length, tier: row.tier },
      });
    }
    const confusion = database
      .prepare('select sum(images) from v_confusion where cell_id = ? and label = ?')
      .pluck();
    const scored = cells.find((cell) => cell.predictions !== undefined)!;
    expect(confusion.get(scored.row.id, 3)).toBe(
      scored.predictions!.labels.filter((label) => label === 3).length,
    );
  });

  it('have one row of results for each variant and batch size, with the figures of the other views', async () => {
    const { analysis, database } = await storedExample(
      folder('results.sqlite'),
      { devices: ['laptop', 'board'] },
      (changed) => {
        changed.exec(`delete from cells where kind = 'performance' and variant_id = 3`);
      },
    );
    const rows = rowsOf(database, 'v_results');
    const expected = analysis.figures.flatMap((each) => {
      const batches = [...each.latencies, ...each.failures, ...each.pending].map(({ batch }) => batch);
      return (batches.length > 0 ? batches : [null]).map((batch) => [each, batch] as const);
    });
    expect(rows).toHaveLength(expected.length);
    for (const [figures, batch] of expected) {
      const row = rows.find((one) => isOfCell(one, figures) && one['batch'] === batch)!;
      const latency = figures.latencies.find((each) => each.batch === batch);
      const place = `${figures.variant.recipe} ${batch}`;
      alikeEstimate(row, 'median', 'ms', latency?.median, place);
      alikeEstimate(row, 'speedup', '', latency?.speedup, place);
      alikeEstimate(row, 'peak_memory', 'bytes', latency?.memory?.estimate, place);
      alikeEstimate(row, 'top1', '', figures.accuracy?.top1, place);
      expect(row['parameters']).toBe(figures.parameters);
    }
  });

  it('say on what it was measured, and that an emulator is one', async () => {
    const { analysis, database } = await storedExample(
      folder('results.sqlite'),
      { devices: ['a', 'b', 'c'] },
      (changed) => {
        changed.exec(`update devices set profile_json = '{"kind":"ssh","emulated":true}' where name = 'b'`);
        changed.exec(
          `update devices set environment_json = json_set(environment_json, '$.emulated', json('true')) where name = 'c'`,
        );
      },
    );
    const rows = rowsOf(database, 'v_devices');
    expect(rows).toMatchObject(
      analysis.run.devices.map((device) => ({
        device: device.row.name,
        emulated: Number(isEmulated(device)),
        processor: device.environment.cpu.model,
        memory_bytes: device.environment.memoryBytes,
        virtual: Number(device.environment.virtual),
        architecture: device.environment.os.arch,
      })),
    );
    expect(rows.map((row) => row['emulated'])).toEqual([0, 1, 1]);
  });
});

describe('views of several runs', () => {
  it('list them with their commits, and follow their figures', async () => {
    const path = folder('results.sqlite');
    const db = await openStore(path);
    onTestFinished(() => db.destroy());
    await storeHistory(db, 3, 0.01, [
      { milliseconds: 10 },
      { milliseconds: 11, repository: null },
      { milliseconds: 12, repository: { branch: null, dirty: true }, features: { cosine: 0.99, images: 50 } },
    ]);
    const database = new Database(path);
    onTestFinished(() => void database.close());
    const runs = rowsOf(database, 'v_runs');
    const summaries = await listRuns(db);
    expect(runs).toHaveLength(summaries.length);
    for (const { id, state, done, cells, failed, pending } of summaries) {
      const repository = repositoryOf(await findRun(db, id));
      expect(runs.find((row) => row['run_id'] === id)).toMatchObject({
        ...{ state, done, cells, failed, pending },
        git_commit: repository?.commit ?? null,
        git_branch: repository?.branch ?? null,
        git_dirty: repository === null ? null : Number(repository.dirty),
      });
      const { figures } = analyse(await loadRun(db, await findRun(db, id)));
      const history = rowsOf(database, 'v_history').filter((row) => row['run_id'] === id);
      const accuracies = rowsOf(database, 'v_accuracy').filter((row) => row['run_id'] === id);
      for (const each of figures) {
        const row = history.find((one) => isOfCell(one, each))!;
        expect(row['git_commit']).toBe(repository?.commit ?? null);
        alikeEstimate(row, 'median', 'ms', each.latencies[0]?.median, id);
        const cosine = each.features?.cosine;
        const accuracy = accuracies.find((one) => isOfCell(one, each));
        if (accuracy === undefined) continue;
        alike(accuracy['mean_cosine'], cosine?.mean.value, id);
        alike(accuracy['least_cosine'], cosine?.least, id);
      }
    }
  });

  it('say how late answers are under load', async () => {
    const path = folder('results.sqlite');
    const db = await openStore(path);
    onTestFinished(() => db.destroy());
    const random = seededRandom(4);
    const trial = (planned: number, served: number, rate: number | null) => {
      const times = Array.from({ length: served }, (_, query) => ({
        arrival: 5 * query,
        taken: 1 + 8 * random.uniform(),
      }));
      return {
        ...{ rate, planned, scheduled: times.map(({ arrival }) => (rate === null ? 0 : arrival)) },
        started: times.map(({ arrival, taken }) => arrival + taken / 4),
        ended: times.map(({ arrival, taken }) => arrival + taken),
      };
    };
    const trials = [
      trial(400, 400, 200),
      trial(33, 33, 100),
      trial(90, 20, 50),
      trial(10, 0, 70),
      trial(64, 64, null),
    ];
    const cell = await storeCell(db, 'loaded', 'server');
    await insertRound(
      db,
      placeOf(cell),
      fullMeasurement({ trials, latencies: [] }),
      Uint8Array.of(1, 1, 0),
      false,
    );
    const database = new Database(path);
    onTestFinished(() => void database.close());
    const rows = rowsOf(database, 'v_trials');
    expect(rows.map((row) => row['served'])).toEqual(trials.map(({ ended }) => ended.length));
    for (const [index, { rate, ...offered }] of trials.entries()) {
      const row = rows[index]!;
      const served = offered.ended.length;
      const mean = serviceTimes(offered).reduce((sum, each) => sum + each, 0) / served;
      alike(row['service_ms'], served > 0 ? mean : undefined, `service of trial ${index}`);
      const load = rate === null || served === 0 ? undefined : { ...offered, rate };
      alike(row['response_p99_ms'], load && responseTail(load), `p99 of trial ${index}`);
      alike(row['busy_share'], load && utilisation(load), `utilisation of trial ${index}`);
      alike(
        row['images_per_s'],
        rate === null ? (1000 * 2 * served) / offered.ended.at(-1)! : undefined,
        'images',
      );
    }
  });
});

describe('the migration that made the views', () => {
  it('is not edited once it is released: a changed view is a further migration, and then this digest', () => {
    const made = views.map(({ name, sql }) => [name, sql(sqliteParts)]);
    expect(hashJson(made)).toBe('9d177aeef00760d9fa678dd9371b2f0e2d7d9bf24c847077f6f81d2636fdbd3a');
  });
});

describe('docs/reference/database.md', () => {
  it('is what is written from the descriptions: npm run docs', () => {
    const file = readFileSync(join(packageRoot(), 'docs', 'reference', 'database.md'), 'utf8');
    // Prettier pads tables.
    const flat = (text: string): string => text.replace(/ +/g, ' ').replace(/-{3,}/g, '---').trim();
    expect(flat(file)).toBe(flat(databaseReference()));
  });
});
