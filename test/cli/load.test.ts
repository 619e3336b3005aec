import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { Database } from '../../src/base/sqlite.js';
import type { ReportDocument } from '../../src/report/document.js';
import { loadOutcome } from '../../src/stats/load.js';
import { edgeflex } from './support.js';

const root = packageRoot();
/** So loose that it holds on a machine that others use, too. */
const BOUND = 5000;
const ROUNDS = 2;
let folder: string;
let env: NodeJS.ProcessEnv;
let folders: string[];
let report: ReportDocument;

/** A real run of a small suite under load. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  env = { EDGEFLEX_CACHE: join(folder, 'cache') };
  await writeFile(
    join(folder, 'suite.yaml'),
    [
      'name: loaded',
      `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
      `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
      `recipes: [${root}/suites/recipes/int8.yaml]`,
      `devices: [${root}/devices/local-cpu.yaml]`,
      'accuracy: { batch: 32, images: 32 }',
      'performance: { batches: [] }',
      `load: { server: { batches: [1], p99: ${BOUND} }, offline: { batches: [4] }, tier: smoke, rounds: ${ROUNDS} }`,
    ].join('\n'),
  );
  folders = ['--results', join(folder, 'results'), '--reports', join(folder, 'reports')];
  const { code, err, out } = await edgeflex(['run', join(folder, 'suite.yaml'), ...folders, '--json'], env);
  expect(code, err).toBe(0);
  report = JSON.parse(out) as ReportDocument;
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

interface StoredQuery {
  readonly cell: number;
  readonly kind: string;
  readonly bound: number | null;
  readonly round: number;
  readonly trial: number;
  readonly rate: number | null;
  readonly planned: number;
  readonly query: number;
  readonly scheduled: number;
  readonly started: number;
  readonly ended: number;
}

/** Every query that was offered, as it is stored. */
function storedQueries(): StoredQuery[] {
  const database = new Database(join(folder, 'results', 'edgeflex.db'), { readonly: true });
  const rows = database
    .prepare(
      `select cells.id as cell, kind, bound_ms as bound, round, trials.trial, rate, planned, query, scheduled, started, ended
       from served join trials on trials.round_id = served.round_id and trials.trial = served.trial
       join rounds on rounds.id = served.round_id join cells on cells.id = rounds.cell_id
       order by cell, round, trials.trial, query`,
    )
    .all() as StoredQuery[];
  database.close();
  return rows;
}

describe('a run under load', () => {
  it('has a server and an offline cell of every variant, with the rates that were tried', () => {
    expect(report.results.map(({ recipe }) => recipe)).toEqual(['fp32', 'int8']);
    for (const { servers, offline, performance, failedCells, pendingCells } of report.results) {
      expect([performance, failedCells, pendingCells]).toEqual([[], [], []]);
      const [server] = servers;
      expect(server).toMatchObject({ batch: 1, tier: 'smoke', p99BoundMilliseconds: BOUND });
      expect(server!.searches).toHaveLength(server!.rounds);
      for (const { tried } of server!.searches) expect(tried.length).toBeGreaterThan(0);
      const { value, low, high } = offline[0]!.throughputImagesPerSecond!;
      expect(value).toBeGreaterThan(0);
      expect(low <= value && value <= high).toBe(true);
      expect(offline[0]).toMatchObject({ batch: 4, rounds: ROUNDS });
    }
  });

  it('keeps every query, of which the same conclusions follow', () => {
    const queries = storedQueries();
    const trials = new Map<string, StoredQuery[]>();
    for (const query of queries) {
      const key = [query.cell, query.round, query.trial].join(' ');
      trials.set(key, [...(trials.get(key) ?? []), query]);
    }
    const outcomes = new Map<string, number>();
    for (const trial of trials.values()) {
      const { kind, rate, planned, bound } = trial[0]!;
      for (const [index, { scheduled, started, ended }] of trial.entries()) {
        expect(started).toBeGreaterThanOrEqual(Math.max(scheduled, index > 0 ? trial[index - 1]!.ended : 0));
        expect(ended).toBeGreaterThan(started);
      }
      if (kind === 'offline') continue;
      const of = (name: 'scheduled' | 'started' | 'ended'): number[] => trial.map((query) => query[name]);
      const served = { scheduled: of('scheduled'), started: of('started'), ended: of('ended') };
      const outcome = loadOutcome({ ...served, rate: rate!, planned }, bound!);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
    const told = report.results
      .flatMap(({ servers }) => servers)
      .filter(({ disturbedRounds }) => disturbedRounds === 0)
      .flatMap(({ searches }) => searches.flatMap(({ tried }) => tried.map(({ outcome }) => outcome)));
    for (const outcome of new Set(told)) expect(outcomes.has(outcome)).toBe(true);
  });

  it('offers the same schedule to every variant in a round, and another one in the next', () => {
    const first = (round: number): number[][] => {
      const own = storedQueries().filter(
        (each) => each.kind === 'server' && each.round === round && each.query < 20,
      );
      const cells = [...new Set(own.map(({ cell }) => cell))];
      return cells.map((cell) =>
        own
          .filter((each) => each.cell === cell && each.trial === 0)
          .map(({ scheduled, rate }) => Number(((scheduled * rate!) / 1000).toPrecision(9))),
      );
    };
    const [fp32, int8, ...others] = first(0);
    expect(others).toEqual([]);
    expect(fp32!.length).toBeGreaterThan(1);
    expect(int8).toEqual(fp32);
    expect(first(1)[0]).not.toEqual(fp32);
  });

  it('stands in every format of the report', async () => {
    const path = join(folder, 'reports', report.run.id);
    const [page, markdown, csv] = await Promise.all(
      ['report.html', 'report.md', 'report.csv'].map((file) => readFile(join(path, file), 'utf8')),
    );
    for (const text of [page, markdown]) {
      expect(text).toContain('Under load');
      expect(text).toContain(`${BOUND} ms`);
    }
    const [header, ...rows] = csv!.trim().split('\r\n');
    const columns = header!.split(',');
    const bounds = rows.map((row) => row.split(',')[columns.indexOf('server_p99_bound_ms')]);
    expect(bounds.filter((bound) => bound === String(BOUND))).toHaveLength(2);
    expect(columns).toEqual(expect.arrayContaining(['server_rate_queries_per_s', 'rate_verdict']));
  });

  it('can be resumed where a round is missing, which is measured again by its own schedule', async () => {
    const before = storedQueries().filter(({ kind, round }) => kind === 'server' && round === 1);
    const { cell } = before[0]!;
    const database = new Database(join(folder, 'results', 'edgeflex.db'));
    database.pragma('foreign_keys = on');
    database.exec(`delete from rounds where cell_id = ${cell} and round = 1`);
    database.exec(`update cells set status = 'pending' where id = ${cell}`);
    database.exec('update runs set ended_at = null');
    database.close();
    const { code, err } = await edgeflex(['run', join(folder, 'suite.yaml'), ...folders, '--resume'], env);
    expect(code, err).toBe(0);
    const unit = ({ scheduled, rate }: StoredQuery): number => (scheduled * rate!) / 1000;
    const [then] = before.filter((each) => each.cell === cell);
    const [now] = storedQueries().filter((each) => each.cell === cell && each.round === 1);
    expect(unit(now!)).toBeCloseTo(unit(then!), 9);
  }, 120_000);

  it('is compared with another: a gate guards the highest rate and the throughput', async () => {
    const { id } = report.run;
    const gates = ['--fail-on', 'rate:5%,throughput:5%', '--json'];
    const { code, out, err } = await edgeflex(['compare', id, id, ...folders.slice(0, 2), ...gates], env);
    expect([0, 1, 3], err).toContain(code);
    const { compared, uncompared } = JSON.parse(out) as {
      compared: { metric: string }[];
      uncompared: { metrics: string[] }[];
    };
    const metrics = [...compared.map(({ metric }) => metric), ...uncompared.flatMap((each) => each.metrics)];
    expect(metrics).toEqual(expect.arrayContaining(['rate', 'throughput']));
  });
});
