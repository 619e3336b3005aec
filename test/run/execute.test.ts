import { readdirSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseFailure, type CellFailure } from '../../src/protocol/failure.js';
import { failureText } from '../../src/text/failures.js';
import { readRepository } from '../../src/run/repository.js';
import { findRun, listRuns, loadRun, type StoredCell } from '../../src/store/read.js';
import { repositoryOf } from '../../src/store/repository.js';
import { planOf } from '../../src/suite/plan.js';
import { tiers } from '../../src/suite/schema.js';
import { agentsOf } from '../support/processes.js';
import { refusalOf } from '../support/refusal.js';
import { data, useRuns, type Handlers } from './support.js';

const runs = useRuns();

/** Every row that a run's rounds have, by table. */
async function rowsOf(rounds: readonly number[]): Promise<Record<string, unknown[]>> {
  const rows: Record<string, unknown[]> = {
    rounds: await runs.db().selectFrom('rounds').selectAll().where('id', 'in', rounds).execute(),
  };
  for (const table of ['phases', 'memory', 'samples', 'predictions', 'logits', 'kernels'] as const)
    rows[table] = await runs.db().selectFrom(table).selectAll().where('round_id', 'in', rounds).execute();
  return rows;
}

/** The cells of the only run, by variant and kind. */
async function cellsOf(id?: string): Promise<Record<string, StoredCell>> {
  const { cells } = await loadRun(runs.db(), await findRun(runs.db(), id ?? ''));
  return Object.fromEntries(cells.map((cell) => [`${cell.variant.recipe} ${cell.row.kind}`, cell]));
}

describe('a run', () => {
  it('that was interrupted goes on with the rest, and what it had stays as it is', async () => {
    const suite = runs.suite();
    const plan = planOf(suite);
    const first: number[] = [];
    await runs.interrupt(suite, (stop) => ({
      measured: ({ position, scenario }) => {
        first.push(position);
        if (scenario.kind === 'performance') stop();
      },
    }));
    expect(first).toEqual([0, 1, 2, 3, 4]);
    const { id, ended_at, repository_json } = await findRun(runs.db(), '');
    expect(ended_at).toBeNull();
    expect(repositoryOf({ repository_json })).toEqual(await readRepository(process.cwd()));
    const kept = (await runs.db().selectFrom('rounds').select('id').execute()).map((row) => row.id);
    expect(kept).toHaveLength(5);
    const before = await rowsOf(kept);

    const second: number[] = [];
    const cached: boolean[] = [];
    const handlers: Handlers = {
      compressed: ({ cached: wasCached }) => cached.push(wasCached),
      measured: ({ position, failure }) => {
        expect(failure).toBeUndefined();
        second.push(position);
      },
    };
    expect(await runs.execute(suite, handlers, { resume: true })).toEqual({ id, failedCells: 0 });
    expect(cached).toEqual([true, true]);
    expect(second).toEqual([5, 6, 7]);
    expect(plan.rounds).toHaveLength(8);
    expect(await rowsOf(kept)).toEqual(before);
    expect((await findRun(runs.db(), '')).ended_at).not.toBeNull();

    const cells = await cellsOf();
    expect(Object.keys(cells)).toHaveLength(6);
    for (const { row, rounds } of Object.values(cells)) {
      expect(row).toMatchObject({ status: 'done', reason: null });
      expect(rounds.map((round) => round.row.round)).toEqual(row.kind === 'performance' ? [0, 1] : [0]);
    }
    for (const variant of ['fp32', 'int8']) {
      const samples = cells[`${variant} performance`]!.rounds.flatMap((round) => round.samples);
      expect(samples.length).toBeGreaterThanOrEqual(tiers.smoke.minQueries);
      const { labels, predicted } = cells[`${variant} accuracy`]!.predictions!;
      expect(labels).toEqual([...data.test.classes.subarray(0, 40)]);
      const right = predicted.filter((each, image) => each === labels[image]).length;
      // The model's card says 96 %; chance is 10 %.
      expect(right).toBeGreaterThan(30);
    }
    const { kernels, nodes } = cells['int8 kernels']!.rounds[0]!;
    expect(kernels.map(({ opType }) => opType)).toContain('MatMulIntegerToFloat');
    expect(nodes.find(({ node }) => node === 'layers.0.fc1')).toMatchObject({
      opType: 'MatMulIntegerToFloat',
      work: { product: { precision: 'int8', shape: { rows: 2 * 17, inner: 128, columns: 512 } } },
    });
    expect((await refusalOf(() => runs.execute(suite, {}, { resume: true }))).found).toContain(
      'no unfinished run',
    );
  });

  it('stores a cell that fails with its reason and goes on with the others', async () => {
    const suite = runs.suite({ performance: { batches: [2], tier: 'smoke', rounds: 1 } });
    const known = new Set<string>();
    let killed = false;
    const failures: (CellFailure | undefined)[] = [];
    const outcome = await runs.execute(suite, {
      compressed: ({ variant }) => {
        const artifacts = runs.folder('cache', 'entries', 'artifact');
        const made = readdirSync(artifacts).find((name) => !known.has(name))!;
        known.add(made);
        if (variant === 'micro / int8') truncateSync(join(artifacts, made, 'files', 'model.onnx'), 500);
      },
      measuring: ({ scenario, phase }) => {
        if (killed || scenario.kind !== 'performance' || phase !== 'load') return;
        killed = true;
        process.kill(agentsOf()[0]!, 'SIGKILL');
      },
      measured: ({ failure }) => failures.push(failure?.reason),
    });
    expect(outcome.failedCells).toBe(4);
    expect(failures.filter((failure) => failure === undefined)).toHaveLength(2);
    const cells = await cellsOf();
    const statusOf = (name: string): string => cells[name]!.row.status;
    const reasonOf = (name: string): CellFailure => parseFailure(cells[name]!.row.reason!);
    expect(['fp32 accuracy', 'fp32 kernels'].map(statusOf)).toEqual(['done', 'done']);
    expect(reasonOf('fp32 performance')).toMatchObject({ kind: 'agent-ended', signal: 'SIGKILL' });
    for (const name of ['int8 accuracy', 'int8 kernels']) {
      expect(statusOf(name)).toBe('failed');
      expect(failureText(reasonOf(name))).toMatch(/model\.onnx/);
      expect(cells[name]!.rounds).toEqual([]);
    }
    const because = reasonOf('int8 accuracy');
    expect(reasonOf('int8 performance')).toEqual({ kind: 'not-timed', because });
    expect((await findRun(runs.db(), '')).ended_at).not.toBeNull();
  });

  it('refuses two devices of one name before anything is measured', async () => {
    await writeFile(runs.folder('there.yaml'), 'name: here\nkind: local\n');
    const twice = runs.suite({ devices: [runs.folder('here.yaml'), runs.folder('there.yaml')] });
    const fault = await refusalOf(() => runs.execute(twice));
    expect(fault).toMatchObject({ source: runs.folder('there.yaml'), found: 'a second device called here' });
    expect(await listRuns(runs.db())).toEqual([]);
  });

  it('refuses a model that is not there before anything is measured', async () => {
    const models = [{ kind: 'path', name: 'none', path: runs.folder('none') } as const];
    const fault = await refusalOf(() => runs.execute(runs.suite({ models })));
    expect(fault).toMatchObject({ source: runs.folder('none'), expected: 'a folder or a file with a model' });
    expect(await listRuns(runs.db())).toEqual([]);
  });
});
