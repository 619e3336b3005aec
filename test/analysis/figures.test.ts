import { judgementOf } from '../../src/analysis/analysis.js';
import { describe, expect, it } from 'vitest';
import { BASELINE } from '../../src/suite/baseline.js';
import { useFolder } from '../support/folder.js';
import { binomialSum } from '../support/exact.js';
import { average, middle, type CellKey, type RawRows } from './support/reference.js';
import { figuresOf, storedExample, type Stored } from './support/stored.js';

const folder = useFolder();
const stored = (): Promise<Stored> => storedExample(folder('results.sqlite'));

const ours = { model: 'vit-drawn', device: 'laptop' };

function scored(recipe: string, model = ours.model): CellKey {
  return { ...ours, model, recipe, kind: 'accuracy', batch: 64 };
}

function timed(recipe: string, batch: number, model = ours.model): CellKey {
  return { ...ours, model, recipe, kind: 'performance', batch };
}

/** The 97.5 % quantile of the normal distribution, and of Student's with four degrees of freedom, as tables have them. */
const Z = 1.959963984540054;
const T4 = 2.7764451051977987;

/** Wilson's interval holds the p that a score test does not refute: at its ends the score is exactly ±z. */
function expectWilson(
  { value, low, high }: { value: number; low: number; high: number },
  share: number,
  n: number,
): void {
  expect(value).toBe(share);
  for (const [end, sign] of [
    [low, 1],
    [high, -1],
  ] as const)
    expect((share - end) / Math.sqrt((end * (1 - end)) / n)).toBeCloseTo(sign * Z, 9);
}

describe('accuracy', () => {
  it('is the share of stored predictions that are the stored label, with the interval of the score test', async () => {
    const { analysis, raw } = await stored();
    for (const recipe of ['fp32', 'int8', 'pruned']) {
      const rows = raw.predictions(scored(recipe));
      const right = rows.filter(({ label, predicted }) => label === predicted).length;
      const { accuracy } = figuresOf(analysis, recipe);
      expect(rows).toHaveLength(300);
      expect(accuracy).toMatchObject({ images: 300, correct: right });
      expectWilson(accuracy!.top1!, right / 300, 300);
    }
  });

  it("is compared with fp32's image by image: McNemar's p and the share of the same class", async () => {
    const { analysis, raw } = await stored();
    const baseline = raw.predictions(scored('fp32'));
    for (const recipe of ['int8', 'pruned']) {
      const own = raw.predictions(scored(recipe));
      let [lost, won, same] = [0, 0, 0];
      for (const [image, { label, predicted }] of own.entries()) {
        const before = baseline[image]!.predicted;
        if (before === label && predicted !== label) lost += 1;
        if (before !== label && predicted === label) won += 1;
        if (before === predicted) same += 1;
      }
      const { accuracy } = figuresOf(analysis, recipe);
      expect(lost + won).toBeGreaterThan(2);
      const p = Math.min(1, 2 * binomialSum(lost + won, 0, Math.min(lost, won), 1, 2));
      expect(accuracy!.mcnemarP).toBeCloseTo(p, 12);
      expectWilson(accuracy!.agreement!, same / 300, 300);
    }
    expect(figuresOf(analysis, BASELINE).accuracy).toMatchObject({
      mcnemarP: undefined,
      agreement: undefined,
    });
  });

  it('comes with the time that the whole test set took', async () => {
    const { analysis, raw } = await stored();
    const total = raw.samples(scored('int8')).flat();
    expect(total).toHaveLength(5);
    expect(figuresOf(analysis, 'int8').accuracy!.testSetSeconds).toBeCloseTo((average(total) * 5) / 1000, 12);
  });

  it('is never claimed for synthetic weights, which agree with their own fp32 or do not', async () => {
    const { analysis, raw } = await stored();
    const baseline = raw.predictions(scored('fp32', 'vit-large'));
    const own = raw.predictions(scored('int8', 'vit-large'));
    const same = own.filter(({ predicted }, image) => predicted === baseline[image]!.predicted).length;
    for (const recipe of ['fp32', 'int8'])
      expect(figuresOf(analysis, recipe, 'vit-large').accuracy).toMatchObject({
        ...{ images: 300, top1: undefined, correct: undefined, mcnemarP: undefined },
      });
    expectWilson(figuresOf(analysis, 'int8', 'vit-large').accuracy!.agreement!, same / 300, 300);
  });

  it('is not compared with an fp32 that was scored on other images', async () => {
    const { analysis } = await storedExample(folder('other.sqlite'), {}, (database) => {
      database.exec(`delete from predictions where image = 299 and round_id in (select r.id from rounds r
        join cells c on c.id = r.cell_id join variants v on v.id = c.variant_id where v.recipe = 'fp32')`);
    });
    expect(figuresOf(analysis, 'fp32').accuracy!.images).toBe(299);
    expect(figuresOf(analysis, 'int8').accuracy).toMatchObject({
      ...{ images: 300, mcnemarP: undefined, agreement: undefined },
    });
  });
});

describe('latency', () => {
  it('is the geometric mean of the rounds’ medians, with Student’s interval over the rounds', async () => {
    const { analysis, raw } = await stored();
    for (const [recipe, batch] of [
      ['fp32', 1],
      ['fp32', 8],
      ['int8', 1],
      ['pruned', 1],
    ] as const) {
      const rounds = raw.samples(timed(recipe, batch));
      const figures = figuresOf(analysis, recipe).latencies.find((each) => each.batch === batch)!;
      expect(figures).toMatchObject({ queries: rounds.flat().length, rounds: 5, tier: 'rapid' });
      const logs = rounds.map((round) => Math.log(middle([...round].sort((a, b) => a - b))));
      const centre = logs.reduce((sum, each) => sum + each, 0) / 5;
      const variance = logs.reduce((sum, each) => sum + (each - centre) ** 2, 0) / 4;
      // 2.776445: Student's 97.5 % quantile with four degrees of freedom, from a table.
      const half = 2.776445 * Math.sqrt(variance / 5);
      expect(figures.median.value).toBeCloseTo(Math.exp(centre), 9);
      expect(figures.median.low).toBeCloseTo(Math.exp(centre - half), 5);
      expect(figures.median.high).toBeCloseTo(Math.exp(centre + half), 5);
    }
  });

  it('of a single round is the median of its queries, and has no interval: one process says nothing of the next', async () => {
    const { analysis, raw } = await storedExample(folder('results.sqlite'), {}, (database) => {
      database.pragma('foreign_keys = ON');
      database.exec('delete from rounds where round > 0');
    });
    const sorted = raw
      .samples(timed('int8', 8))
      .flat()
      .sort((a, b) => a - b);
    const { median, speedup } = figuresOf(analysis, 'int8').latencies[1]!;
    for (const end of Object.values(median)) expect(end).toBeCloseTo(middle(sorted), 12);
    expect(speedup).toBeUndefined();
  });

  it('has a p90 that is the geometric mean of the rounds’, with Student’s interval, and no p99 of so few queries', async () => {
    const { analysis, raw } = await stored();
    const rounds = raw.samples(timed('int8', 8));
    const { p90, p99 } = figuresOf(analysis, 'int8').latencies[1]!;
    // Between the samples next to rank (n + 1/3) · 0.9 + 1/3.
    const logs = rounds.map((samples) => {
      const sorted = [...samples].sort((a, b) => a - b);
      const rank = 0.9 * sorted.length + 0.3 + 1 / 3;
      const [below, above] = [sorted[Math.floor(rank) - 1]!, sorted[Math.floor(rank)]!];
      return Math.log(below + (rank % 1) * (above - below));
    });
    const centre = average(logs);
    const spread = Math.sqrt(logs.reduce((sum, each) => sum + (each - centre) ** 2, 0) / 4);
    expect(p90!.value).toBeCloseTo(Math.exp(centre), 9);
    expect(p90!.high).toBeCloseTo(Math.exp(centre + (T4 * spread) / Math.sqrt(5)), 5);
    expect(Math.max(...rounds.map(({ length }) => length))).toBeLessThan(100);
    expect(p99).toBeUndefined();
  });

  it('has a throughput that is the images over the time, so that slow queries count', async () => {
    const { analysis, raw } = await stored();
    const rates = raw
      .samples(timed('int8', 8))
      .map((samples) => (8000 * samples.length) / samples.reduce((sum, each) => sum + each, 0));
    const { throughput } = figuresOf(analysis, 'int8').latencies[1]!;
    expect(throughput!.value).toBeCloseTo(Math.exp(average(rates.map(Math.log))), 9);
  });

  it('is told with the processor time of a query, where the device tells', async () => {
    const { analysis, raw } = await stored();
    expect(figuresOf(analysis, 'int8').latencies[1]!.cpuTime).toBeUndefined();
    const counted = await storedExample(folder('counted.sqlite'), {}, (database) => {
      // 30 ms a query of fp32, 10 ms of others.
      database.exec(`update phases set cpu_milliseconds = (select count(*) from samples where samples.round_id = phases.round_id)
        * (select case when variants.recipe = 'fp32' then 30 else 10 end from rounds join cells on cells.id = rounds.cell_id
        join variants on variants.id = cells.variant_id where rounds.id = phases.round_id) where phase = 'steady'`);
    });
    const { cpuTime, cpuSaving } = figuresOf(counted.analysis, 'int8').latencies[1]!;
    expect(cpuTime!.value).toBeCloseTo(10, 9);
    expect(cpuSaving!.value).toBeCloseTo(3, 9);
    expect(raw.samples(timed('int8', 8))).toHaveLength(5);
  });

  it('leaves rounds out that others disturbed, and decides nothing where that are half of them or more', async () => {
    const busy = (rounds: number) => (database: { exec: (sql: string) => unknown }) => {
      database.exec(`delete from conditions; insert into conditions select id, 0, 'steady', '{"at":5,"otherLoad":0.8}'
        from rounds where round < ${rounds} and cell_id in (select id from cells where kind = 'performance')`);
    };
    const some = await storedExample(folder('some.sqlite'), {}, busy(2));
    const [, eight] = figuresOf(some.analysis, 'int8').latencies;
    expect(eight).toMatchObject({ rounds: 3, soundness: { disturbed: 2, decides: true } });
    const logs = some.raw
      .samples(timed('int8', 8))
      .slice(2)
      .map((round) => Math.log(middle([...round].sort((a, b) => a - b))));
    expect(eight!.median.value).toBeCloseTo(Math.exp(average(logs)), 9);
    expect(eight!.speedup).toBeDefined();
    expect(eight!.flags.map(({ kind }) => kind)).not.toContain('disturbed');
    const most = await storedExample(folder('most.sqlite'), {}, busy(3));
    const [, undecided] = figuresOf(most.analysis, 'int8').latencies;
    expect(undecided).toMatchObject({ rounds: 5, speedup: undefined });
    expect(undecided!.soundness).toMatchObject({
      disturbed: 3,
      decides: false,
      by: [{ kind: 'other-load', cores: 0.8 }],
    });
    expect(undecided!.flags.map(({ kind }) => kind)).toContain('disturbed');
    expect(judgementOf(figuresOf(most.analysis, 'int8'), 'latency', 8)).toBeUndefined();
    // What a process takes in memory others do not change.
    expect(judgementOf(figuresOf(most.analysis, 'int8'), 'memory', 8)).toBeDefined();
  });

  it('compares rounds with each other only where the cores lay alike', async () => {
    const moved = await storedExample(folder('moved.sqlite'), {}, (database) => {
      // fp32 was near throughout; int8 near in three rounds and far in two, in which it took twice as long.
      database.exec(`update rounds set core_latency_before = 50, core_latency_after = 52;
        update rounds set core_latency_before = 270, core_latency_after = 280 where round > 2 and cell_id in (select cells.id
          from cells join variants on variants.id = cells.variant_id where recipe = 'int8' and kind = 'performance');
        update samples set milliseconds = 2 * milliseconds where round_id in (select id from rounds where core_latency_before = 270)`);
    });
    const { speedup, flags } = figuresOf(moved.analysis, 'int8').latencies[1]!;
    const medianOf = (samples: readonly number[]) => middle([...samples].sort((a, b) => a - b));
    const near = moved.raw.samples(timed('int8', 8)).slice(0, 3);
    const ratios = near.map((samples, round) =>
      Math.log(medianOf(moved.raw.samples(timed('fp32', 8))[round]!) / medianOf(samples)),
    );
    expect(speedup!.value).toBeCloseTo(Math.exp(average(ratios)), 9);
    expect(flags.find(({ kind }) => kind === 'placements-differ')).toMatchObject({
      nearest: 50,
      farthest: 280,
    });
  });

  it('gives a speed that is the geometric mean over the rounds, with Student’s interval', async () => {
    const { analysis, raw } = await stored();
    for (const [recipe, batch] of [
      ['int8', 1],
      ['int8', 8],
      ['pruned', 1],
    ] as const) {
      const before = raw.samples(timed('fp32', batch));
      const logs = raw
        .samples(timed(recipe, batch))
        .map((samples, round) => Math.log(middle(before[round]!)) - Math.log(middle(samples)));
      expect(logs).toHaveLength(5);
      const centre = average(logs);
      const spread = Math.sqrt(logs.reduce((sum, each) => sum + (each - centre) ** 2, 0) / 4);
      const half = (T4 * spread) / Math.sqrt(5);
      const { speedup } = figuresOf(analysis, recipe).latencies.find((each) => each.batch === batch)!;
      expect(speedup!.value).toBeCloseTo(Math.exp(centre), 10);
      expect(speedup!.low).toBeCloseTo(Math.exp(centre - half), 8);
      expect(speedup!.high).toBeCloseTo(Math.exp(centre + half), 8);
    }
    for (const { speedup } of figuresOf(analysis, 'fp32').latencies) expect(speedup).toBeUndefined();
  });

  it('says how many rounds never got steady, and how long loading and the first query took', async () => {
    const { analysis, raw } = await stored();
    const [single, eight] = figuresOf(analysis, 'int8').latencies;
    expect([single!.unsteadyRounds, eight!.unsteadyRounds]).toEqual([1, 0]);
    expect(single!.load).toBeCloseTo(average(raw.phase(timed('int8', 1), 'load')), 10);
    expect(single!.firstRun).toBeCloseTo(average(raw.phase(timed('int8', 1), 'first')), 10);
  });
});

describe('memory', () => {
  /** Of each round the larger peak of load and first run, and what the runtime held before, by SQL and by hand. */
  function roundsOf(raw: RawRows, key: CellKey): { over: number[]; peaks: number[]; bases: number[] } {
    const bases = raw.memory(key, 'resident').map((phases) => phases.get('prepare')!);
    const peaks = raw
      .memory(key, 'peakResident')
      .map((phases) => Math.max(...['load', 'first'].map((name) => phases.get(name)!)));
    return { over: peaks.map((peak, round) => peak - bases[round]!), peaks, bases };
  }

  const geometric = (values: readonly number[]): number =>
    values.reduce((product, value) => product * value ** (1 / values.length), 1);

  it('is the peak of load and first run less the runtime’s base, on average over the rounds', async () => {
    const { analysis, raw } = await stored();
    for (const batch of [1, 8]) {
      const { memory } = figuresOf(analysis, 'int8').latencies.find((each) => each.batch === batch)!;
      const [own, before] = [roundsOf(raw, timed('int8', batch)), roundsOf(raw, timed('fp32', batch))];
      expect(own.over).toHaveLength(5);
      expect(memory!.peak / geometric(own.over)).toBeCloseTo(1, 12);
      expect(memory!.rawPeak / geometric(own.peaks)).toBeCloseTo(1, 12);
      expect(memory!.base / geometric(own.bases)).toBeCloseTo(1, 12);
      expect(memory!.estimate.low).toBeLessThan(memory!.peak);
      expect(memory!.range).toEqual({
        ...{ value: memory!.peak, low: Math.min(...own.over), high: Math.max(...own.over) },
      });
      expect(memory!.peaksAreOfPhases).toBe(true);
      expect(memory!.reduction).toBeCloseTo(1 - geometric(own.over) / geometric(before.over), 12);
    }
    expect(figuresOf(analysis, 'fp32').latencies[0]!.memory!.reduction).toBeUndefined();
  });

  it('is not claimed of a device that cannot tell', async () => {
    const { analysis } = await storedExample(folder('two.sqlite'), { devices: ['laptop', 'board'] });
    expect(figuresOf(analysis, 'int8', 'vit-drawn', 'laptop').latencies[0]!.memory).toBeDefined();
    expect(figuresOf(analysis, 'int8', 'vit-drawn', 'board').latencies[0]!.memory).toBeUndefined();
  });

  it('is none of what a steady state gathers later', async () => {
    const { analysis } = await stored();
    const grown = await storedExample(folder('grown.sqlite'), {}, (database) => {
      database.exec("update memory set bytes = bytes + 1e9 where phase in ('warmup', 'steady')");
    });
    const [before, after] = [analysis, grown.analysis].map(
      (each) => figuresOf(each, 'int8').latencies[0]!.memory!,
    );
    expect(after!.peak).toBe(before!.peak);
    expect(after!.byPhase.get('steady')! - before!.byPhase.get('steady')!).toBeGreaterThan(9e8);
  });

  it('has a steady peak of its own, with an interval over the rounds', async () => {
    const { analysis, raw } = await stored();
    const key = timed('int8', 8);
    const bases = raw.memory(key, 'resident').map((phases) => phases.get('prepare')!);
    const over = raw
      .memory(key, 'peakResident')
      .map((phases, round) => phases.get('steady')! - bases[round]!);
    const { steady, byPhase } = figuresOf(analysis, 'int8').latencies.find(
      ({ batch }) => batch === 8,
    )!.memory!;
    expect(steady!.value / geometric(over)).toBeCloseTo(1, 12);
    expect(steady!.value).toBe(byPhase.get('steady'));
    expect(steady!.low).toBeLessThan(steady!.value);
    expect(steady!.high).toBeGreaterThan(steady!.value);
  });

  it('is by the means that the device had, and says nothing beside figures of another', async () => {
    const { analysis } = await stored();
    expect(figuresOf(analysis, 'int8').latencies[0]!.memory!.means).toBe('vmhwm-of-phase');
    const ofInt8 = `id in (select r.id from rounds r join cells c on c.id = r.cell_id
      join variants v on v.id = c.variant_id where v.recipe = 'int8'`;
    const other = await storedExample(folder('other.sqlite'), {}, (database) => {
      database.exec(`update rounds set memory_means = 'rusage-of-process' where ${ofInt8})`);
    });
    const { memory } = figuresOf(other.analysis, 'int8').latencies[0]!;
    expect(memory).toMatchObject({ means: 'rusage-of-process', peaksAreOfPhases: false });
    expect(memory!.reduction).toBeUndefined();
    expect(judgementOf(figuresOf(other.analysis, 'int8'), 'memory', 8)).toBeUndefined();
    const mixed = await storedExample(folder('mixed.sqlite'), {}, (database) => {
      database.exec(
        `update rounds set memory_means = 'rusage-of-process' where ${ofInt8} and r.round in (0, 2))`,
      );
    });
    expect(figuresOf(mixed.analysis, 'int8').latencies[0]!.memory).toBeUndefined();
  });

  it('is absent where a device does not tell the peak of the first run, and not that of loading alone', async () => {
    const { analysis } = await storedExample(folder('untold.sqlite'), {}, (database) => {
      database.exec("delete from memory where phase = 'first'");
    });
    expect(figuresOf(analysis, 'int8').latencies[0]!.memory).toBeUndefined();
  });

  it('has no reduction against an fp32 that took nothing that could be seen', async () => {
    const { analysis } = await storedExample(folder('nothing.sqlite'), {}, (database) => {
      database.exec(`update memory set bytes = 1000 where round_id in (select r.id from rounds r
        join cells c on c.id = r.cell_id join variants v on v.id = c.variant_id where v.recipe = 'fp32')`);
    });
    expect(figuresOf(analysis, 'fp32').latencies[0]!.memory!.peak).toBe(0);
    expect(figuresOf(analysis, 'int8').latencies[0]!.memory!.reduction).toBeUndefined();
  });
});

describe('a comparison', () => {
  it('is with fp32 of the same model on the same device', async () => {
    const { analysis, raw } = await storedExample(folder('two.sqlite'), { devices: ['laptop', 'board'] });
    for (const device of ['laptop', 'board']) {
      const medians = ['fp32', 'int8'].map((recipe) =>
        raw.samples({ ...timed(recipe, 1, 'vit-large'), device }).map(middle),
      );
      const logs = medians[0]!.map((before, round) => Math.log(before / medians[1]![round]!));
      const { speedup } = figuresOf(analysis, 'int8', 'vit-large', device).latencies[0]!;
      expect(speedup!.value).toBeCloseTo(Math.exp(average(logs)), 10);
    }
  });

  it('is left out where fp32 was not measured', async () => {
    const { analysis } = await storedExample(folder('alone.sqlite'), {}, (database) => {
      database.exec(`update cells set status = 'failed' where kind = 'performance' and batch = 1 and
        variant_id in (select id from variants where recipe = 'fp32')`);
    });
    const [single, eight] = figuresOf(analysis, 'int8').latencies;
    expect(single).toMatchObject({ batch: 1, speedup: undefined });
    expect(single!.memory!.reduction).toBeUndefined();
    expect(eight!.speedup).toBeDefined();
  });
});

describe('kernels', () => {
  it('share the time among them, the most expensive first', async () => {
    const { analysis, raw } = await stored();
    const rows = raw.kernels({ ...ours, recipe: 'int8', kind: 'kernels', batch: 8 });
    const total = rows.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    const { kernels, kernelBatch } = figuresOf(analysis, 'int8');
    expect(kernelBatch).toBe(8);
    expect(kernels.map(({ opType }) => opType)).toEqual(['MatMul', 'Softmax', 'LayerNormalization', 'Gelu']);
    for (const { opType, share } of kernels)
      expect(share).toBeCloseTo(rows.find((row) => row.opType === opType)!.milliseconds / total, 12);
  });
});

describe('cells without a measurement', () => {
  it('are told apart: failed ones with their reason, and those that are still to be measured', async () => {
    const { analysis } = await stored();
    expect(figuresOf(analysis, 'pruned').failures).toEqual([
      {
        ...{ kind: 'performance', batch: 8, status: 'failed' },
        reason: {
          kind: 'agent-failed',
          text: 'the agent was killed (SIGKILL)\nout of memory, "perhaps"; see the log',
        },
      },
    ]);
    expect(figuresOf(analysis, 'int8', 'vit-large').pending).toEqual([{ kind: 'performance', batch: 8 }]);
    expect(analysis.pending).toBe(1);
    // What rounds a failed cell has stored is no measurement.
    expect(figuresOf(analysis, 'pruned').latencies.map(({ batch }) => batch)).toEqual([1]);
  });
});
