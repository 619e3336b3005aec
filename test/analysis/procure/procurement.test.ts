import type { Database } from '../../../src/base/sqlite.js';
import { describe, expect, it } from 'vitest';
import {
  parseAccuracy,
  parseEnergy,
  parseLatency,
  parseMemory,
  parseThroughput,
} from '../../../src/analysis/procure/constraints.js';
import { decisionOf, qualifies } from '../../../src/analysis/procure/decision.js';
import type { Procurement, Ranked } from '../../../src/analysis/procure/procurement.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';
import type { Stored } from '../support/stored.js';
import { catalogueOf, euros, offer, procured, twoDevices } from './support.js';

const folder = useFolder();
const stored = (change?: (database: Database) => void): Promise<Stored> =>
  twoDevices(folder('results.db'), change);
const priced = catalogueOf(offer('laptop', euros(100)), offer('board', euros(50)));
const median = (milliseconds: number): { latency: { milliseconds: number; quantile: number } } => ({
  latency: { milliseconds, quantile: 0.5 },
});
const of = ({ candidates }: Procurement, device: string): Ranked[] =>
  candidates.filter((each) => each.device === device);

/** Every device's profile gets further fields. */
const dressed = (device: string, more: object) => (database: Database) => {
  database
    .prepare('update devices set profile_json = json_patch(profile_json, ?) where name = ?')
    .run(JSON.stringify(more), device);
};

describe('a limit', () => {
  it('is a time at a quantile, a size, a share, a rate, an energy', () => {
    expect(() => parseLatency(`${'9'.repeat(400)}ms`)).toThrow('--max-latency');
    expect(() => parseMemory(`${'9'.repeat(400)}GB`)).toThrow('--max-memory');
    expect(() => parseEnergy(`${'9'.repeat(400)}J`)).toThrow('--max-energy');
    expect(parseLatency('30ms@p90')).toEqual({ milliseconds: 30, quantile: 0.9 });
    expect(parseLatency('0.5s@p99')).toEqual({ milliseconds: 500, quantile: 0.99 });
    expect(parseLatency('12ms')).toEqual({ milliseconds: 12, quantile: 0.5 });
    expect(parseMemory('200MiB')).toBe(200 * 1024 ** 2);
    expect(parseMemory('1.5 GB')).toBe(1.5e9);
    expect(parseAccuracy('80.5%')).toBeCloseTo(0.805);
    expect([parseThroughput('50/s'), parseThroughput('2.5')]).toEqual([50, 2.5]);
    expect([parseEnergy('0.5J'), parseEnergy('200 mJ'), parseEnergy('0.001Wh')]).toEqual([0.5, 0.2, 3.6]);
  });

  it.each([
    [() => parseLatency('30'), '--max-latency'],
    [() => parseLatency('30ms@p0'), '--max-latency'],
    [() => parseLatency('30ms@p100'), '--max-latency'],
    [() => parseLatency('-3ms'), '--max-latency'],
    [() => parseMemory('200'), '--max-memory'],
    [() => parseMemory('0MiB'), '--max-memory'],
    [() => parseAccuracy('80'), '--min-accuracy'],
    [() => parseAccuracy('101%'), '--min-accuracy'],
    [() => parseThroughput('0/s'), '--min-throughput'],
    [() => parseThroughput('50/min'), '--min-throughput'],
    [() => parseEnergy('5'), '--max-energy'],
    [() => parseEnergy('0J'), '--max-energy'],
  ])('that is none is refused %#', async (parse, source) => {
    expect((await refusalOf(parse)).source).toBe(source);
  });
});

describe('a candidate', () => {
  it('meets what its whole interval keeps to, fails what none of it does; between them one cannot tell', async () => {
    const run = await stored();
    const [any] = procured(run, priced, { constraints: { ...median(1e6), accuracy: 0.01 } }).candidates;
    expect(any!.answer).toBe('meets');
    const { low, high } = any!.latency!;
    expect(low).toBeLessThan(high);
    const at = (milliseconds: number): string =>
      procured(run, priced, { constraints: median(milliseconds) }).candidates.find(
        ({ device, variant }) => device === any!.device && variant === any!.variant,
      )!.answer;
    expect([at(high), at(low * 0.999), at((low + high) / 2)]).toEqual(['meets', 'fails', 'cannot tell']);
  });

  it('is held against throughput and energy likewise', async () => {
    const run = await stored();
    const watts = catalogueOf(offer('laptop', { power: { idle: 2, load: 10 } }));
    const tested = (constraints: object): (string | undefined)[] =>
      of(procured(run, watts, { constraints }), 'laptop').map(
        ({ tests }) => tests.throughput?.answer ?? tests.energy?.answer,
      );
    expect(new Set(tested({ throughput: 1 }))).toEqual(new Set(['meets']));
    expect(new Set(tested({ throughput: 1e9 }))).toEqual(new Set(['fails']));
    expect(new Set(tested({ energy: 1e9 }))).toEqual(new Set(['meets']));
    expect(new Set(tested({ energy: 1e-9 }))).toEqual(new Set(['fails']));
    for (const { energy, throughput } of of(procured(run, watts), 'laptop')) {
      expect(energy!.source).toBe('profile');
      expect(energy!.value * throughput!.value).toBeCloseTo(10, 9);
    }
    const [unknown] = of(procured(run, watts, { constraints: { energy: 1 } }), 'board');
    expect(unknown).toMatchObject({ answer: 'cannot tell', energy: undefined });
    expect(unknown!.missing.map(({ kind }) => kind)).toContain('no power');
  });

  it('does not meet a quantile that its queries are too few for', async () => {
    const constraints = { latency: { milliseconds: 1e6, quantile: 0.9999 } };
    const { candidates } = procured(await stored(), priced, { constraints });
    expect(new Set(candidates.map(({ tests }) => tests.latency!.answer))).toEqual(new Set(['cannot tell']));
  });

  it('fails when one limit is broken, whatever the others are', async () => {
    const { candidates } = procured(await stored(), priced, { constraints: { ...median(1e6), accuracy: 1 } });
    for (const { answer, tests } of candidates)
      if (tests.accuracy!.answer === 'fails') expect(answer).toBe('fails');
    expect(candidates.some(({ answer }) => answer === 'fails')).toBe(true);
  });

  it('whose memory is not known cannot be told of', async () => {
    const found = procured(await stored(), priced, { constraints: { memory: 1e12 } });
    expect(of(found, 'board').map(({ answer }) => answer)).toEqual(Array(3).fill('cannot tell'));
    expect(of(found, 'laptop').map(({ answer }) => answer)).toEqual(Array(3).fill('meets'));
  });

  it('timed in one process alone has no place, as the next one may differ', async () => {
    const run = await stored((database) => {
      database.exec('delete from rounds where round > 0');
    });
    const found = procured(run, priced);
    for (const each of found.candidates) {
      expect([each.byCost, each.unranked]).toEqual([undefined, 'unsure']);
      expect(each.missing.map(({ kind }) => kind)).toContain('one round');
    }
    expect(decisionOf(found).kind).toBe('undecided');
  });
});

describe('the catalogue', () => {
  it('is what prices come from, not the run', async () => {
    const run = await stored(dressed('laptop', { price: { amount: 1, currency: 'USD' } }));
    const without = procured(run, catalogueOf());
    expect(without.currency).toBeUndefined();
    for (const { cost, missing, unranked } of without.candidates) {
      expect([cost, unranked]).toEqual([undefined, 'no cost']);
      expect(missing).toContainEqual({ kind: 'not in the catalogue' });
    }
    for (const { cost, throughput, device } of procured(run, priced).candidates)
      expect(cost!.value * throughput!.value).toBeCloseTo(device === 'laptop' ? 100 : 50, 9);
  });

  it('says what it lacks, and what nobody has measured', async () => {
    const catalogue = catalogueOf(
      offer('laptop', { price: { amount: 5, currency: 'EUR', date: undefined } }),
      offer('board'),
      offer('never-seen', euros(1)),
    );
    const found = procured(await stored(), catalogue);
    expect(found.unmeasured).toEqual(['never-seen']);
    const kinds = (device: string): string[] => of(found, device)[0]!.missing.map(({ kind }) => kind);
    expect(kinds('laptop')).toContain('no date of the price');
    expect(kinds('board')).toContain('no price');
  });

  it('with two profiles of one name is refused', async () => {
    const twice = catalogueOf(offer('laptop', euros(1)), {
      ...offer('laptop', euros(2)),
      path: 'other.yaml',
    });
    const run = await stored();
    const fault = await refusalOf(() => procured(run, twice));
    expect(fault.found).toContain('other.yaml');
  });

  it('in several currencies is refused, unless somebody says what they are worth', async () => {
    const mixed = catalogueOf(
      offer('laptop', euros(100)),
      offer('board', { price: { amount: 60, currency: 'USD', date: undefined } }),
    );
    const run = await stored();
    const fault = await refusalOf(() => procured(run, mixed));
    expect(fault.found).toContain('laptop in EUR, board in USD');
    const found = procured(run, mixed, { rates: [{ from: 'USD', to: 'EUR', rate: 0.5 }] });
    expect(found.currency).toBe('EUR');
    for (const { cost, throughput } of of(found, 'board'))
      expect(cost!.value * throughput!.value).toBeCloseTo(30, 9);
    // What energy costs decides what all is told in, and must be reached, too.
    const terms: Procurement['terms'] = {
      ...{ years: 1, energyPrice: { amount: 1, currency: 'CHF' } },
      use: { kind: 'utilisation', share: 1 },
    };
    expect((await refusalOf(() => procured(run, priced, { terms }))).found).toContain('energy in CHF');
  });

  it('limits a fleet to what can be had', async () => {
    const terms: Procurement['terms'] = {
      ...{ years: 1, energyPrice: { amount: 0, currency: 'EUR' } },
      use: { kind: 'load', requestsPerDay: 1e9, peak: 1, headroom: 0 },
    };
    const catalogue = catalogueOf(offer('laptop', { ...euros(1), count: 1 }), offer('board', euros(1)));
    const found = procured(await stored(), catalogue, { terms });
    for (const { tests, ownership } of of(found, 'laptop')) {
      expect(ownership!.fleet.low).toBeGreaterThan(1);
      expect(tests.fleet!.answer).toBe('fails');
    }
    for (const { tests } of of(found, 'board')) expect(tests.fleet).toBeUndefined();
  });
});

describe('a ranking', () => {
  it('is by money for each image a second, and orders only what intervals tell apart', async () => {
    const { candidates } = procured(await stored(), priced);
    const places = candidates.map(({ byCost }) => byCost!.tie);
    expect([...places].sort((a, b) => a - b)).toEqual(places);
    expect(Math.max(...places)).toBeGreaterThan(1);
    for (const one of candidates)
      for (const other of candidates) {
        const meet = one.cost!.low <= other.cost!.high && other.cost!.low <= one.cost!.high;
        if (one.byCost!.tie === other.byCost!.tie) expect(meet).toBe(true);
        if (one.byCost!.tie < other.byCost!.tie && !meet)
          expect(one.cost!.high).toBeLessThan(other.cost!.low);
      }
    // Within a tie they stand by name: any other order would look like one of merit.
    const nameOf = ({ deviceLabel, variant }: Ranked): string => `${deviceLabel} ${variant}`;
    expect(candidates.some(({ byCost }) => byCost!.tied > 1)).toBe(true);
    for (const place of new Set(places)) {
      const names = candidates.filter(({ byCost }) => byCost!.tie === place).map(nameOf);
      expect([...names].sort()).toEqual(names);
    }
  });

  it('leaves out what fails', async () => {
    const { candidates } = procured(await stored(), priced, { constraints: median(1e-6) });
    for (const { byCost, pareto, unranked } of candidates)
      expect([byCost, pareto, unranked]).toEqual([undefined, undefined, 'does not qualify']);
  });

  it('knows what is surely dominated: what the same variant does elsewhere, faster, cheaper and with less power', async () => {
    const slower = (database: Database): void =>
      void database
        .prepare(
          `update samples set milliseconds = milliseconds * 10 where round_id in
           (select rounds.id from rounds join cells on cells.id = cell_id join devices on devices.id = device_id
            where devices.name = 'laptop')`,
        )
        .run();
    const found = procured(
      await stored(slower),
      catalogueOf(
        offer('laptop', { ...euros(100), power: { idle: 1, load: 10 } }),
        offer('board', { ...euros(50), power: { idle: 1, load: 5 } }),
      ),
    );
    const paretos = (device: string): Set<Ranked['pareto']> =>
      new Set(of(found, device).map(({ pareto }) => pareto));
    expect(paretos('laptop')).toEqual(new Set(['dominated']));
    expect(paretos('board')).not.toContain('dominated');
  });

  it('does not decide what intervals do not decide', async () => {
    const same = catalogueOf(offer('laptop', euros(100)), offer('board', euros(200)));
    const { candidates } = procured(await stored(), same);
    expect(candidates.map(({ pareto }) => pareto)).toContain('cannot tell');
  });

  it('at a batch size that was not timed is refused with those that were', async () => {
    const run = await stored();
    const fault = await refusalOf(() => procured(run, priced, { batch: 999 }));
    expect([fault.source, fault.expected]).toEqual(['--batch', expect.stringContaining('1, 8')]);
  });
});

describe('what is not the hardware', () => {
  /** The second device's GPU is SwiftShader. */
  const software = (database: Database): void => {
    const gpu = {
      ...{ vendor: 'google', architecture: 'swiftshader', device: '', description: '' },
      ...{ software: true, features: [], limits: {} },
    };
    database
      .prepare(
        "update devices set environment_json = json_set(environment_json, '$.gpu', json(?)) where name = 'board'",
      )
      .run(JSON.stringify(gpu));
  };

  it.each([
    ['an emulated board', dressed('board', { emulated: true }), 'board'],
    ['a software GPU', software, 'software GPU'],
  ])('%s, has no place unless that is asked for, and is named for what it is', async (_, change, label) => {
    const run = await stored(change);
    const cheap = catalogueOf(offer('laptop', euros(100)), offer('board', euros(1)));
    for (const each of of(procured(run, cheap), 'board')) {
      expect(each.deviceLabel).toContain(label);
      expect(each).toMatchObject({
        emulated: true,
        unranked: 'emulated',
        byCost: undefined,
        pareto: undefined,
      });
    }
    const [first] = procured(run, cheap, { emulatedToo: true }).candidates;
    expect(first).toMatchObject({ device: 'board', byCost: { tie: 1 } });
  });

  it('is no answer where nothing else qualifies', async () => {
    const run = await stored(dressed('board', { emulated: true }));
    const all = procured(run, priced, { constraints: { accuracy: 0.01, ...median(1e6) } });
    expect(decisionOf({ ...all, candidates: of(all, 'board') })).toMatchObject({
      kind: 'nothing qualifies',
      nearest: undefined,
      emulatedWould: true,
    });
  });
});

describe('a decision', () => {
  it('is the first tie, with whole ties behind it until there are two runners-up', async () => {
    const found = procured(await stored(), priced);
    const decision = decisionOf(found);
    if (decision.kind !== 'buy') throw new Error(decision.kind);
    expect(new Set(decision.best.map(({ byCost }) => byCost!.tie))).toEqual(new Set([1]));
    expect(decision.best).toHaveLength(decision.best[0]!.byCost!.tied);
    expect(decision.runnersUp.length).toBeGreaterThanOrEqual(2);
    for (const each of decision.runnersUp)
      expect(decision.runnersUp.filter(({ byCost }) => byCost!.tie === each.byCost!.tie)).toHaveLength(
        each.byCost!.tied,
      );
    expect(qualifies(decision)).toBe(true);
  });

  it('names what comes nearest where nothing qualifies, and in what it falls short', async () => {
    const run = await stored();
    // The fastest misses it by a little, all others by more.
    const fastest = Math.min(...procured(run, priced).candidates.map(({ latency }) => latency!.low));
    const decision = decisionOf(procured(run, priced, { constraints: median(fastest * 0.9) }));
    if (decision.kind !== 'nothing qualifies') throw new Error(decision.kind);
    expect(qualifies(decision)).toBe(false);
    const { candidate, lacks } = decision.nearest!;
    expect(candidate).toMatchObject({ device: 'laptop', recipe: 'int8' });
    expect(lacks.map(({ limited }) => limited)).toEqual(['latency']);
    expect(lacks[0]!.test.beyond).toBeCloseTo(1 / 0.9, 6);
  });

  it('prefers what misses a limit to what was not measured at all', async () => {
    const constraints = { ...median(0.1), memory: 1e12 };
    const decision = decisionOf(procured(await stored(), priced, { constraints }));
    if (decision.kind !== 'nothing qualifies') throw new Error(decision.kind);
    expect(decision.nearest!.candidate.device).toBe('laptop');
  });

  it('is none where prices are not known', async () => {
    const decision = decisionOf(procured(await stored(), catalogueOf()));
    expect(decision.kind).toBe('undecided');
    expect(qualifies(decision)).toBe(true);
  });
});
