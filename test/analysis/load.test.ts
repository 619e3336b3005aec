import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { searchRate, serveOffline } from '../../src/agent/load.js';
import { analyse, type Analysis } from '../../src/analysis/analysis.js';
import { observe } from '../../src/analysis/procure/observe.js';
import { compareRuns, type Comparison } from '../../src/analysis/compare/compare.js';
import { checkGates, parseGates } from '../../src/analysis/compare/gates.js';
import type { OfflineFigures, ServerFigures } from '../../src/analysis/figures/load.js';
import { pointsOf } from '../../src/analysis/history/points.js';
import { seededRandom } from '../../src/base/random.js';
import { poissonArrivals } from '../../src/stats/load.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, loadRun, type StoredRun } from '../../src/store/read.js';
import { insertRound, insertRun, upsertCell, upsertDevice, upsertVariant } from '../../src/store/write.js';
import { loadTable } from '../../src/text/load.js';
import { useFolder } from '../support/folder.js';
import { virtualServer } from '../support/queue.js';
import { environment, fullMeasurement, labels, newRun, placeOf } from '../support/rows.js';
import { taskBase } from '../support/tasks.js';

const folder = useFolder();
const BOUND = 2400;
const ROUNDS = 6;
const files = {
  model: 'm.onnx',
  inputs: 'i.bin',
  batch: 1,
  microBatch: 1,
  maxSeconds: 1e9,
  maxWarmupSeconds: 1,
};
let db: Db;

beforeEach(async () => {
  db = await openStore(folder('results.sqlite'));
  onTestFinished(() => db.destroy());
});

/** What a variant's rounds are like. */
interface Simulated {
  /** Of a query, in milliseconds. */
  readonly service: number;
  /** In so many rounds others take most of a core. */
  readonly disturbed?: number;
}

/** A stored run of fp32 and int8 under load, with arrivals of the round's own and a few percent between processes. */
async function storedRun(
  id: string,
  variants: Readonly<Record<'fp32' | 'int8', Simulated>>,
  bound = BOUND,
  queries = 200,
): Promise<StoredRun> {
  await insertRun(db, newRun(id, { ended_at: '2026-11-22T11:00:00.000Z' }));
  const run = { run_id: id };
  const device = await upsertDevice(db, {
    ...{
      ...run,
      name: 'here',
      profile_json: '{}',
      environment_json: JSON.stringify(environment),
      threads: 1,
    },
  });
  const random = seededRandom(id.length);
  for (const [position, [recipe, { service, disturbed = 0 }]] of Object.entries(variants).entries()) {
    const variant = await upsertVariant(db, {
      ...{ ...run, position, model: 'micro', recipe, description: '', synthetic: 0, artifact: recipe },
      ...{ file_bytes: 1000, parameters: 250, micro_batch: null, stages_json: '[]' },
    });
    for (const kind of ['server', 'offline'] as const) {
      const cell = await upsertCell(db, {
        ...{ ...run, variant_id: variant.id, device_id: device, kind, batch: 1, tier: 'rapid' },
        ...{ bound_ms: kind === 'server' ? bound : null, rounds: ROUNDS, status: 'done', reason: null },
      });
      for (let round = 0; round < ROUNDS; round++) {
        const taken = service * (1 + 0.02 * random.uniform());
        const server = virtualServer(() => taken);
        const arrivals = poissonArrivals(queries, seededRandom(round));
        if (kind === 'server')
          await searchRate(server, { kind, ...taskBase, ...files, arrivals, queries, p99: bound });
        else await serveOffline(server, { kind, ...taskBase, ...files, minQueries: 20, minSeconds: 1 });
        const otherLoad = round < disturbed ? 0.9 : 0.01;
        const conditions = [{ phase: 'steady' as const, conditions: { at: 1000, otherLoad } }];
        const measurement = fullMeasurement({ latencies: [], conditions, trials: server.trials() });
        await insertRound(db, placeOf(cell, round), measurement, labels, false);
      }
    }
  }
  return loadRun(db, await findRun(db, id));
}

function loadsOf({ figures }: Analysis, recipe: string): [ServerFigures, OfflineFigures] {
  const { loads } = figures.find(({ variant }) => variant.recipe === recipe)!;
  expect(loads.map(({ kind }) => kind)).toEqual(['server', 'offline']);
  return loads as unknown as [ServerFigures, OfflineFigures];
}

function compared(reference: StoredRun, run: StoredRun): Comparison {
  return compareRuns(reference, run, { floors: [], p90: false, force: false });
}

/** What became of a gate for int8. */
function outcomeOf(comparison: Comparison, gate: string): string | undefined {
  const results = checkGates(comparison, parseGates(gate));
  return results.find(({ subject }) => subject?.recipe === 'int8')?.outcome;
}

const quiet = { fp32: { service: 400 }, int8: { service: 200 } };

describe('figures of load', () => {
  it('are what a buyer is told: the highest rate of random arrivals with its bound', async () => {
    const run = await storedRun('bought', quiet);
    const { observations } = observe(run, { batch: 1, quantile: 0.5 });
    for (const { recipe, served } of observations) {
      const [server] = loadsOf(analyse(run), recipe);
      const held = server.searches.map((search) => search.held!);
      const geometric = Math.exp(held.reduce((total, rate) => total + Math.log(rate), 0) / held.length);
      expect(served).toEqual({ rate: server.rate, bound: BOUND, isSure: true });
      expect(served!.rate!.value).toBeCloseTo(geometric, 9);
    }
    expect(observe(run, { batch: 2, quantile: 0.5 }).observations.map(({ served }) => served)).toEqual([
      undefined,
      undefined,
    ]);
  });

  it('are of each round its own, and of a variant relative to fp32 in the same rounds', async () => {
    const run = await storedRun('one', quiet);
    const analysis = analyse(run);
    const [server, offline] = loadsOf(analysis, 'int8');
    const held = server.searches.map((search) => search.held!);
    expect(held).toHaveLength(ROUNDS);
    const geometric = Math.exp(held.reduce((sum, rate) => sum + Math.log(rate), 0) / ROUNDS);
    expect(server.rate!.value).toBeCloseTo(geometric, 9);
    const [baseline, baselineOffline] = loadsOf(analysis, 'fp32');
    expect(server.gain!.value).toBeCloseTo(server.rate!.value / baseline.rate!.value, 9);
    // The same schedule in both: half of the service time bears more than twice the rate, since the bound is looser for it, too.
    expect(server.gain!.low).toBeGreaterThan(2);
    expect([baseline.gain, baseline.missed]).toEqual([undefined, 0]);
    expect(offline.throughput!.value).toBeCloseTo(1000 / 202, 1);
    expect(offline.gain!.value).toBeCloseTo(offline.throughput!.value / baselineOffline.throughput!.value, 9);
    const verdicts = loadTable(analysis).rows.map(({ variant, load, verdict }) => [variant, load, verdict]);
    expect(verdicts).toContainEqual(['int8', expect.stringContaining('2400 ms'), 'higher']);
    expect(verdicts).toContainEqual(['int8', 'offline', 'higher']);
    const points = pointsOf(run, ['rate', 'throughput']).filter(({ cell }) => cell.recipe === 'int8');
    expect(points.map(({ metric, point }) => [metric, point.estimate.value])).toEqual([
      ['rate', server.rate!.value],
      ['throughput', offline.throughput!.value],
    ]);
    expect(points.map(({ cell }) => cell.bound)).toEqual([BOUND, undefined]);
  });

  it('say where trials are too short for the queue that their bound allows', async () => {
    const [short] = loadsOf(analyse(await storedRun('short', quiet)), 'int8');
    // The service times are 200 to 204 ms, so that the bound is that of about 12.
    expect(short.flags).toEqual([
      {
        ...{ kind: 'short-trials', queries: 200 },
        enough: expect.closeTo(50 * 11.9 ** 2, -3) as number,
        serviceTimes: expect.closeTo(11.9, 0) as number,
      },
    ]);
    const [long] = loadsOf(analyse(await storedRun('long', quiet, 1000, 2000)), 'int8');
    expect(long.flags).toEqual([]);
  });

  it('leave disturbed rounds out, and are not decided where most were', async () => {
    const few = analyse(await storedRun('few', { ...quiet, int8: { service: 200, disturbed: 2 } }));
    const [left] = loadsOf(few, 'int8');
    expect([left.rounds, left.soundness.disturbed, left.soundness.decides]).toEqual([4, 2, true]);
    expect(left.flags.map(({ kind }) => kind)).toContain('rounds-left-out');
    expect(left.gain!.rounds).toBe(4);
    const most = analyse(await storedRun('most', { ...quiet, int8: { service: 200, disturbed: 4 } }));
    const [undecided] = loadsOf(most, 'int8');
    expect([undecided.soundness.decides, undecided.gain]).toEqual([false, undefined]);
    expect(most.figures.flatMap(({ judgements }) => judgements)).toEqual([]);
    expect(loadTable(most).rows.map(({ gain }) => gain)).toContain('not decided');
  });

  it('have no rate where a round found none, and say that the model alone is too slow', async () => {
    const [server] = loadsOf(analyse(await storedRun('slow', { ...quiet, int8: { service: 3000 } })), 'int8');
    expect([server.rate, server.gain, server.missed, server.hopeless]).toEqual([
      undefined,
      undefined,
      ROUNDS,
      true,
    ]);
  });
});

describe('comparisons of load', () => {
  it('see a rate and a throughput that fell, and gates break by it', async () => {
    const before = await storedRun('before', quiet);
    const same = compared(before, await storedRun('afterwards', quiet));
    // The rate of six rounds of 200 queries is known too badly to exclude so little.
    expect([outcomeOf(same, 'rate:10%'), outcomeOf(same, 'rate:50%')]).toEqual(['cannot tell', 'held']);
    expect(outcomeOf(same, 'throughput:10%')).toBe('held');
    const slower = compared(before, await storedRun('slower', { ...quiet, int8: { service: 260 } }));
    const lower = slower.compared.filter(({ subject }) => subject.recipe === 'int8');
    expect(lower.map(({ judgement: { metric, verdict } }) => [metric, verdict])).toEqual(
      expect.arrayContaining([
        ['rate', 'lower'],
        ['throughput', 'lower'],
      ]),
    );
    for (const gate of ['rate:10%', 'throughput:10%']) expect(outcomeOf(slower, gate)).toBe('broken');
    // More is better: the way back breaks nothing.
    const faster = compared(await storedRun('slow again', { ...quiet, int8: { service: 260 } }), before);
    for (const gate of ['rate:10%', 'throughput:10%']) expect(outcomeOf(faster, gate)).toBe('held');
  });

  it('cancel what slows fp32 down as much', async () => {
    const before = await storedRun('quiet', quiet, 24_000);
    const machine = await storedRun(
      'slow machine',
      { fp32: { service: 440 }, int8: { service: 220 } },
      24_000,
    );
    expect(outcomeOf(compared(before, machine), 'throughput:5%')).toBe('held');
  });

  it('break a gate where a bound was met and is not any more, and compare no rates at different bounds', async () => {
    const before = await storedRun('met', quiet);
    const missed = compared(before, await storedRun('missed', { ...quiet, int8: { service: 3000 } }));
    const obstacle = missed.uncompared.find(({ metrics }) => metrics.includes('rate'));
    expect(obstacle).toMatchObject({
      failed: true,
      obstacle: { kind: 'bound-not-met', run: 'new', bound: BOUND },
    });
    expect(outcomeOf(missed, 'rate:10%')).toBe('broken');
    const other = compared(before, await storedRun('other', quiet, 2 * BOUND));
    expect(other.compared.map(({ judgement }) => judgement.metric)).not.toContain('rate');
    const disturbed = await storedRun('disturbed', { ...quiet, int8: { service: 260, disturbed: 5 } });
    expect(outcomeOf(compared(before, disturbed), 'rate:10%')).toBe('cannot tell');
  });
});
