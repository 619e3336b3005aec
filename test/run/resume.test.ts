import { appendFile, cp, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { InputFault } from '../../src/base/errors.js';
import { findRun } from '../../src/store/read.js';
import type { Suite } from '../../src/suite/read.js';
import { microDirectory } from '../support/micro.js';
import { refusalOf } from '../support/refusal.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** Executes a suite until its first cell is stored. */
function begin(suite: Suite): Promise<void> {
  return runs.interrupt(suite, (stop) => ({ measured: stop }));
}

/** Why a suite is not resumed. */
function refusalOfResuming(suite: Suite, resume: true | string = true): Promise<InputFault> {
  return refusalOf(() => runs.execute(suite, {}, { resume }));
}

describe('resuming', () => {
  it.each<[string, (suite: Suite) => Suite]>([
    ['seed is 2 and was 1', (suite) => ({ ...suite, seed: 2 })],
    ['micro / int8 is gone', (suite) => ({ ...suite, recipes: suite.recipes.slice(0, 1) })],
    ['rounds is 3 and was 2', (suite) => ({ ...suite, performance: { ...suite.performance, rounds: 3 } })],
    ['precision is new', (suite) => ({ ...suite, performance: { ...suite.performance, precision: 0.01 } })],
    ['images is 41 and was 40', (suite) => ({ ...suite, accuracy: { batch: 16, images: 41 } })],
    ['other / fp32 is new', (suite) => ({ ...suite, models: [{ ...suite.models[0]!, name: 'other' }] })],
  ])('is refused where %s', async (difference, changed) => {
    const suite = runs.suite();
    await runs.interrupt(suite, (stop) => ({ started: stop }));
    const fault = await refusalOfResuming(changed(suite));
    expect(fault.source).toBe('--resume');
    expect(fault.found).toContain(difference);
    const { id } = await findRun(runs.db(), '');
    expect((await refusalOfResuming(changed(suite), id)).found).toContain(id);
  });

  it('is refused where the run is one of another suite', async () => {
    const suite = runs.suite();
    await begin(suite);
    const { id } = await findRun(runs.db(), '');
    const fault = await refusalOfResuming({ ...suite, name: 'renamed' }, id);
    expect([fault.found, fault.expected]).toEqual([
      expect.stringContaining('tiny'),
      expect.stringContaining('renamed'),
    ]);
  });

  it.each([
    ['threads', 'name: here\nkind: local\nthreads: 2\n', 'changed since'],
    ['session options', 'name: here\nkind: local\nthreads: 1\nsession: { arena: false }\n', 'changed since'],
    ['names', 'name: there\nkind: local\nthreads: 1\n', 'was not there when'],
  ])('is refused with other %s of a device', async (_, profile, words) => {
    const suite = runs.suite();
    await begin(suite);
    await writeFile(runs.folder('here.yaml'), profile);
    const fault = await refusalOfResuming(suite);
    expect(fault.found).toContain(words);
    expect(fault.expected).toContain('the same machine');
  });

  it('is refused when the weights behind the same name are others', async () => {
    await cp(microDirectory, runs.folder('model'), { recursive: true });
    const suite = runs.suite({ models: [{ kind: 'path', name: 'micro', path: runs.folder('model') }] });
    await begin(suite);
    await appendFile(runs.folder('model', 'config.json'), '\n');
    const fault = await refusalOfResuming(suite);
    expect(fault.found).toContain('micro / fp32, whose weights or code changed');
  });

  it('tries a failed cell again, and goes on though the device is described otherwise', async () => {
    const suite = runs.suite();
    await begin(suite);
    await runs
      .db()
      .updateTable('cells')
      .set({ status: 'failed', reason: 'no memory' })
      .where('id', '=', 1)
      .execute();
    await writeFile(runs.folder('here.yaml'), 'name: here\nkind: local\nthreads: 1\ndescription: mine\n');
    const controller = new AbortController();
    const seen: number[] = [];
    const measured = ({ position }: { position: number }): void => {
      seen.push(position);
      if (position === 1) controller.abort(new Error('enough'));
    };
    const resumed = runs.execute(suite, { measured }, { resume: true, signal: controller.signal });
    await expect(resumed).rejects.toThrow('enough');
    expect(seen).toEqual([0, 1]);
    const row = await runs.db().selectFrom('cells').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
    expect(row).toMatchObject({ status: 'done', reason: null });
  });

  it('is refused when there is nothing to resume', async () => {
    expect((await refusalOfResuming(runs.suite())).found).toMatch(/^no unfinished run of tiny/);
    expect((await refusalOfResuming(runs.suite(), '2026')).found).toBe('2026');
  });
});
