import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { resumableRun } from '../../src/store/newest.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, listRuns, loadLogits, loadRun } from '../../src/store/read.js';
import {
  endCell,
  endRun,
  insertRound,
  insertRun,
  reopenRun,
  upsertCell,
  type ProfiledNode,
} from '../../src/store/write.js';
import { refusalOf } from '../support/refusal.js';
import { fullMeasurement, labels, newRun, placeOf, storeCell } from '../support/rows.js';
import { describeEachStore } from '../support/stores.js';

describeEachStore((place) => {
  let db: Db;

  beforeEach(async () => {
    db = await openStore(place());
    onTestFinished(() => db.destroy());
  });

  /** Rows of every table that hangs on a round. */
  async function rowsOfRounds(): Promise<number> {
    let rows = 0;
    const tables = [
      ...(['rounds', 'phases', 'memory', 'conditions', 'samples'] as const),
      ...([
        'predictions',
        'logits',
        'embeddings',
        'cosines',
        'kernels',
        'kernel_nodes',
        'trials',
        'served',
      ] as const),
    ];
    for (const table of tables) rows += (await db.selectFrom(table).selectAll().execute()).length;
    return rows;
  }

  describe('a round', () => {
    it('is read as it was stored', async () => {
      const cell = await storeCell(db, 'one', 'accuracy');
      const measurement = fullMeasurement();
      await insertRound(db, placeOf(cell), measurement, labels, true);
      const run = await loadRun(db, await findRun(db, 'one'));
      const [stored] = run.cells;
      const [round] = stored!.rounds;
      expect(round!.samples).toEqual(measurement.latencies);
      expect(round!.trials).toEqual(measurement.trials);
      expect(round!.conditions).toEqual(measurement.conditions);
      expect(round!.phases).toEqual(
        new Map([
          ['load', 12.5],
          ['steady', 99],
        ]),
      );
      expect(Object.fromEntries(round!.memory.get('load')!)).toEqual({ resident: 100, peakResident: 120 });
      expect(round!.kernels.map(({ opType }) => opType)).toEqual(['MatMul', 'Add']);
      expect(round!.row).toMatchObject({ round: 0, position: 4, seconds: 1.5, warmup_queries: 9, steady: 1 });
      expect(JSON.parse(round!.row.session_json!)).toEqual(measurement.started!.session);
      // Of the second image the first logit is the larger; of the third, whose first is no number, no class is the largest.
      expect(stored!.predictions).toEqual({ labels: [1, 1, 0], predicted: [1, 0, -1] });
      const logits = await loadLogits(db, cell.id);
      expect(logits).toEqual({ classes: 2, values: Float32Array.of(1, 2, 4, 3, NaN, -0.5) });
    });

    it('keeps what each node of a profile took and computes', async () => {
      const cell = await storeCell(db, 'one', 'kernels');
      const shape = { rows: 5, inner: 7, columns: 4 };
      const nodes: ProfiledNode[] = [
        {
          time: { node: 'z', opType: 'Gemm', provider: 'CPU', calls: 2, milliseconds: [0.5, 0.25] },
          work: { product: { precision: 'int8', shape, multiplications: 280 }, bytes: 1e12 },
        },
        {
          time: {
            ...{ node: 'a', opType: 'Add', provider: 'GPU', calls: 1 },
            ...{ milliseconds: [1], gpuMilliseconds: [0.125] },
          },
          work: undefined,
        },
      ];
      await insertRound(db, placeOf(cell), fullMeasurement(), labels, false, nodes);
      const [stored] = (await loadRun(db, await findRun(db, 'one'))).cells;
      expect(stored!.rounds[0]!.nodes).toEqual(
        nodes.map(({ time, work }) => ({ gpuMilliseconds: undefined, ...time, work })),
      );
    });

    it('keeps predictions only where they are of test images in order', async () => {
      const cell = await storeCell(db, 'one', 'accuracy');
      await insertRound(db, placeOf(cell), fullMeasurement(), labels, false);
      const run = await loadRun(db, await findRun(db, 'one'));
      expect(run.cells[0]!.predictions).toBeUndefined();
      expect(run.cells[0]!.rounds).toHaveLength(1);
    });

    it('keeps embeddings apart from logits, with what was made of them', async () => {
      const cell = await storeCell(db, 'one', 'accuracy');
      const logits = [{ first: 0, classes: 2, values: Float32Array.of(1, 2, 4, 3, 0.5, -0.5) }];
      const scores = { predicted: [0, 1, 1], cosines: [1, 0.25, -0.5] };
      await insertRound(db, placeOf(cell), fullMeasurement({ logits }), labels, true, [], scores);
      expect(await db.selectFrom('logits').selectAll().execute()).toEqual([]);
      expect(await loadLogits(db, cell.id)).toEqual({ classes: 2, values: logits[0]!.values });
      const variant = { width: 2, neighbours: 3, temperature: 0.07, images: 9 };
      await db
        .updateTable('variants')
        .set({ features_json: JSON.stringify(variant) })
        .execute();
      const [stored] = (await loadRun(db, await findRun(db, 'one'))).cells;
      expect(stored!.predictions).toEqual({ labels: [1, 1, 0], predicted: [0, 1, 1] });
      expect(stored!.cosines).toEqual([1, 0.25, -0.5]);
      expect(JSON.parse(stored!.variant.features_json!)).toEqual(variant);
    });

    it('has room for more samples than a statement', async () => {
      const cell = await storeCell(db, 'one');
      const latencies = Array.from({ length: 12_345 }, (_, index) => index / 8);
      await insertRound(db, placeOf(cell), fullMeasurement({ latencies }), labels, false);
      const run = await loadRun(db, await findRun(db, 'one'));
      expect(run.cells[0]!.rounds[0]!.samples).toEqual(latencies);
    });

    it('is stored whole or not at all', async () => {
      const cell = await storeCell(db, 'one');
      // The same kernel twice violates the key of the table that is filled after phases and samples.
      const { kernels } = fullMeasurement();
      const broken = fullMeasurement({ kernels: [...kernels, kernels[0]!] });
      await expect(insertRound(db, placeOf(cell), broken, labels, true)).rejects.toThrow(/UNIQUE/i);
      expect(await rowsOfRounds()).toBe(0);
      await insertRound(db, placeOf(cell), fullMeasurement(), labels, true);
      const whole = await rowsOfRounds();
      await expect(insertRound(db, placeOf(cell), fullMeasurement(), labels, true)).rejects.toThrow(
        /UNIQUE/i,
      );
      expect(await rowsOfRounds()).toBe(whole);
    });

    it('needs its cell', async () => {
      const cell = await storeCell(db, 'one');
      const nowhere = { ...placeOf(cell), cellId: cell.id + 1 };
      await expect(insertRound(db, nowhere, fullMeasurement(), labels, true)).rejects.toThrow(/FOREIGN KEY/i);
      expect(await rowsOfRounds()).toBe(0);
    });

    it('goes with its run', async () => {
      await insertRound(db, placeOf(await storeCell(db, 'one')), fullMeasurement(), labels, true);
      await db.deleteFrom('runs').execute();
      expect(await rowsOfRounds()).toBe(0);
    });

    it('is seen by another process while a writer is in the middle of its transaction', async () => {
      const cell = await storeCell(db, 'one');
      await insertRound(db, placeOf(cell), fullMeasurement(), labels, false);
      const module = (name: string): string => JSON.stringify(join(packageRoot(), 'dist', 'store', name));
      const script = `
      const { openForReading } = await import(${module('open.js')});
      const { findRun, loadRun } = await import(${module('read.js')});
      const db = await openForReading(${JSON.stringify(place())});
      const run = await loadRun(db, await findRun(db, 'one'));
      console.log(JSON.stringify(run.cells[0].rounds.map(({ samples }) => samples)));`;
      const seen = await db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('rounds').execute();
        const { stdout } = await promisify(execFile)(process.execPath, [
          ...['--input-type=module', '--eval', script],
        ]);
        return JSON.parse(stdout) as unknown;
      });
      expect(seen).toEqual([fullMeasurement().latencies]);
      expect(await rowsOfRounds()).toBe(0);
    });
  });

  describe('runs', () => {
    beforeEach(async () => {
      await insertRun(db, newRun('20261120-a', { started_at: '2026-11-20T00:00:00.000Z' }));
      await insertRun(db, newRun('20261122-b', { started_at: '2026-11-22T00:00:00.000Z', suite: 'other' }));
      await insertRun(db, newRun('20261121-c', { started_at: '2026-11-21T00:00:00.000Z' }));
    });

    it('are listed with the newest first', async () => {
      expect((await listRuns(db)).map(({ id }) => id)).toEqual(['20261122-b', '20261121-c', '20261120-a']);
    });

    it('are counted by how their cells ended', async () => {
      const cell = await storeCell(db, 'z');
      await endCell(db, cell.id, 'failed', { kind: 'device', text: 'no memory' });
      const failed = (await listRuns(db)).find(({ id }) => id === 'z');
      expect(failed).toMatchObject({ cells: 1, done: 0, failed: 1, endedAt: null });
      expect((await listRuns(db)).find(({ id }) => id === '20261120-a')).toMatchObject({
        cells: 0,
        failed: 0,
      });
    });

    it('are found by the beginning of their id', async () => {
      expect((await findRun(db, '20261120')).id).toBe('20261120-a');
      await insertRun(db, newRun('20261120-ab'));
      expect((await findRun(db, '20261120-a')).id).toBe('20261120-a');
    });

    it('that nobody or several have in mind are refused', async () => {
      const several = await refusalOf(() => findRun(db, '2026112'));
      expect(several.found).toBe('2026112, which matches 3 runs');
      for (const id of ['20261120-a', '20261121-c', '20261122-b']) expect(several.expected).toContain(id);
      expect((await refusalOf(() => findRun(db, 'x'))).found).toBe('x');
    });

    it('that have not ended are found by their suite', async () => {
      expect((await resumableRun(db, 'tiny'))!.id).toBe('20261121-c');
      await endRun(db, '20261121-c', '2026-11-21T01:00:00.000Z');
      expect((await resumableRun(db, 'tiny'))!.id).toBe('20261120-a');
      expect(await resumableRun(db, 'a third')).toBeUndefined();
    });
  });

  describe('a failed cell', () => {
    it('is tried again without what it had, and only that one', async () => {
      const failed = await storeCell(db, 'one');
      const { id, ...like } = failed;
      const done = await upsertCell(db, { ...like, batch: 8 });
      for (const cell of [failed, done])
        await insertRound(db, placeOf(cell), fullMeasurement(), labels, false);
      await endCell(db, id, 'failed', { kind: 'device', text: 'the agent died' });
      await endCell(db, done.id, 'done', null);
      await endRun(db, 'one', '2026-11-22T11:00:00.000Z');
      await reopenRun(db, 'one');
      expect((await findRun(db, 'one')).ended_at).toBeNull();
      const { cells } = await loadRun(db, await findRun(db, 'one'));
      expect(cells.map(({ row, rounds }) => [row.status, row.reason, rounds.length])).toEqual([
        ['pending', null, 0],
        ['done', null, 1],
      ]);
    });
  });
});
