import { existsSync } from 'node:fs';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { setBaseline } from '../../src/store/baselines.js';
import { openStore } from '../../src/store/open.js';
import { runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { edgeflex, type Outcome } from './support.js';

const folder = useFolder();

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(24, (index) => ({ milliseconds: index < 10 ? 10 : 11 })),
  );
  await setBaseline(db, 'main', { id: runOf(10), suite: 'tiny' }, '2026-02-01T00:00:00.000Z');
  await db.destroy();
});

const history = (...args: string[]): Promise<Outcome> =>
  edgeflex(['history', ...args, '--results', folder('results'), '--reports', folder('reports')], {
    EDGEFLEX_CACHE: folder('cache'),
  });

describe('edgeflex history', () => {
  it('says what changed and where, and fails only when that is asked for', async () => {
    const { code, out } = await history('tiny');
    expect(code).toBe(exitCodes.fine);
    expect(out).toMatch(
      /Regressions\n {2}fp32 · batch 8, latency: .* in 0000010cc\.\.0000011cc \(probability (> )?\d+ %\)/,
    );
    expect(existsSync(folder('reports', 'history-tiny', 'history.html'))).toBe(true);
    expect((await history('tiny', '--fail-on-regression', '--json')).code).toBe(exitCodes.gate);
  });

  it('looks only at what it is asked about', async () => {
    const one = await history('tiny', '--metric', 'latency', '--cell', 'INT8*batch', '--json');
    const { cells } = JSON.parse(one.out) as { cells: { name: string; metric: string }[] };
    expect(cells.map(({ name, metric }) => [name, metric])).toEqual([['int8 · batch 8', 'latency']]);
    const since = await history('tiny', '--since', 'main', '--json', '--fail-on-regression');
    expect(since.code).toBe(exitCodes.fine);
    expect((JSON.parse(since.out) as { runs: unknown[] }).runs).toHaveLength(14);
    expect((await history('tiny', '--threshold', '15%', '--fail-on-regression', '--json')).code).toBe(0);
    expect((await history('tiny', '--metric', 'memory', '--fail-on-regression', '--json')).code).toBe(0);
  });

  it('follows one branch: what is tried on another does not look like a change of main', async () => {
    const db = await openStore(folder('results', 'edgeflex.db'));
    await db
      .updateTable('runs')
      .set({ repository_json: sql`replace(repository_json, '"main"', '"slow"')` })
      .where('id', '>=', runOf(10))
      .execute();
    await db.destroy();
    const main = await history('tiny', '--fail-on-regression');
    expect(main.code, main.out).toBe(exitCodes.fine);
    expect(main.out).toContain('branch main');
    expect(main.out).toContain('14 runs of slow');
    const json = await history('tiny', '--branch', 'slow', '--json');
    expect(JSON.parse(json.out)).toMatchObject({
      branch: 'slow',
      otherBranches: [{ branch: 'main', runs: 10 }],
    });
    expect((await history('tiny', '--branch', '*', '--fail-on-regression', '--json')).code).toBe(
      exitCodes.gate,
    );
    const none = await history('tiny', '--branch', 'solw');
    expect([none.code, /solw.*slow/.test(none.err)]).toEqual([exitCodes.usage, true]);
  });

  it('refuses a figure that no run has, and a beginning that has none of what is asked for', async () => {
    const db = await openStore(folder('results', 'edgeflex.db'));
    await db.deleteFrom('cells').where('kind', '=', 'accuracy').execute();
    await db.deleteFrom('cells').where('run_id', '=', runOf(10)).execute();
    await db.destroy();
    const metric = await history('tiny', '--metric', 'accuracy');
    expect(metric.code).toBe(exitCodes.usage);
    expect(metric.err).toMatch(/--metric: found accuracy/);
    const since = await history('tiny', '--since', 'main');
    expect(since.code).toBe(exitCodes.usage);
    expect(since.err).toContain(`--since: found run ${runOf(10)}`);
  });

  it.each([
    [['large'], 'expected one of tiny'],
    [['tiny', '--cell', 'w4'], 'int8 · batch 8'],
    [['tiny', '--threshold', '2'], 'such as 2%'],
    [['tiny', '--accuracy-threshold', '2%'], 'such as 0.3pt'],
    [['tiny', '--cosine-threshold', '3'], 'of at most 2'],
    [['tiny', '--since', 'mian'], 'expected a baseline or a stored run of tiny'],
    [['tinny'], 'did you mean "tiny"?'],
  ])('refuses %j', async (args, text) => {
    const { code, err } = await history(...args);
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain(text);
  });
});
