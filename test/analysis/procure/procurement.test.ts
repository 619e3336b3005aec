import type { Database } from '../../../src/base/sqlite.js';
import { describe, expect, it } from 'vitest';
import { parseAccuracy, parseLatency, parseMemory } from '../../../src/analysis/procure/constraints.js';
import { procurementChart } from '../../../src/report/procure/chart.js';
import { procure, type ProcureOptions, type Ranked } from '../../../src/analysis/procure/procurement.js';
import { procurementTable } from '../../../src/text/procure/table.js';
import { renderSvg } from '../../../src/report/charts/svg.js';
import { useFolder } from '../../support/folder.js';
import { refusalOf } from '../../support/refusal.js';
import { storedExample, type Stored } from '../support/stored.js';

const folder = useFolder();

/** A run on two devices, whose profiles get further fields. */
function example(
  first: object,
  second: object = {},
  change: Parameters<typeof storedExample>[2] = () => undefined,
): Promise<Stored> {
  return storedExample(folder('results.db'), { devices: ['laptop', 'board'], smooth: true }, (database) => {
    change(database);
    for (const [name, more] of [
      ['laptop', first],
      ['board', second],
    ] as const) {
      const { profile_json } = database
        .prepare('select profile_json from devices where name = ?')
        .get(name) as { profile_json: string };
      const profile = JSON.stringify({ ...(JSON.parse(profile_json) as object), ...more });
      database.prepare('update devices set profile_json = ? where name = ?').run(profile, name);
    }
  });
}

const nothing = { latency: undefined, memory: undefined, accuracy: undefined };

function asked(
  { analysis }: Stored,
  constraints: Partial<ProcureOptions['constraints']> = {},
  emulatedToo = false,
): Promise<readonly Ranked[]> {
  const batch = Math.min(...analysis.figures.flatMap(({ latencies }) => latencies.map((each) => each.batch)));
  return Promise.resolve().then(
    () => procure(analysis, { batch, constraints: { ...nothing, ...constraints }, emulatedToo }).candidates,
  );
}

const euros = (amount: number): object => ({ price: { amount, currency: 'EUR' } });

describe('a limit', () => {
  it('is a time at a quantile, a size, a share', () => {
    expect(() => parseLatency(`${'9'.repeat(400)}ms`)).toThrow('--max-latency');
    expect(() => parseMemory(`${'9'.repeat(400)}GB`)).toThrow('--max-memory');
    expect(parseLatency('30ms@p90')).toEqual({ milliseconds: 30, quantile: 0.9 });
    expect(parseLatency('0.5s@p99')).toEqual({ milliseconds: 500, quantile: 0.99 });
    expect(parseLatency('12ms')).toEqual({ milliseconds: 12, quantile: 0.5 });
    expect(parseMemory('200MiB')).toBe(200 * 1024 ** 2);
    expect(parseMemory('1.5 GB')).toBe(1.5e9);
    expect(parseAccuracy('80.5%')).toBeCloseTo(0.805);
  });

  it.each([
    [() => parseLatency('30'), '--max-latency'],
    [() => parseLatency('30ms@p0'), '--max-latency'],
    [() => parseLatency('30ms@p100'), '--max-latency'],
    [() => parseLatency('-3ms'), '--max-latency'],
    [() => parseMemory('200'), '--max-memory'],
    [() => parseMemory('0MiB'), '--max-memory'],
    [() => parseAccuracy('0.8'), '--min-accuracy'],
    [() => parseAccuracy('101%'), '--min-accuracy'],
  ])('that is none is refused %#', async (parse, source) => {
    expect((await refusalOf(parse)).source).toBe(source);
  });
});

describe('a candidate', () => {
  it('meets what its whole interval keeps to, fails what none of it does; between them one cannot tell', async () => {
    const stored = await example(euros(100));
    const [any] = await asked(stored, { latency: { milliseconds: 1e6, quantile: 0.5 }, accuracy: 0.01 });
    expect(any!.answer).toBe('meets');
    const { low, high } = any!.latency!.estimate!;
    expect(low).toBeLessThan(high);
    const at = async (milliseconds: number): Promise<string> => {
      const all = await asked(stored, { latency: { milliseconds, quantile: 0.5 } });
      return all.find(({ device, variant }) => device === any!.device && variant === any!.variant)!.answer;
    };
    expect(await at(high)).toBe('meets');
    expect(await at(low * 0.999)).toBe('fails');
    expect(await at((low + high) / 2)).toBe('cannot tell');
  });

  it('does not meet a quantile that its queries are too few for', async () => {
    const all = await asked(await example({}), { latency: { milliseconds: 1e6, quantile: 0.9999 } });
    expect(new Set(all.map(({ latency }) => latency!.answer))).toEqual(new Set(['cannot tell']));
  });

  it('fails when one limit is broken, whatever the others are', async () => {
    const all = await asked(await example({}), {
      accuracy: 1,
      latency: { milliseconds: 1e6, quantile: 0.5 },
    });
    for (const { answer, accuracy } of all) if (accuracy!.answer === 'fails') expect(answer).toBe('fails');
    expect(all.some(({ answer }) => answer === 'fails')).toBe(true);
  });

  it('whose memory is not known cannot be told of', async () => {
    const all = await asked(await example({}), { memory: 1e12 });
    expect(
      all.filter(({ device }) => device === 'board').every(({ answer }) => answer === 'cannot tell'),
    ).toBe(true);
    expect(all.filter(({ device }) => device === 'laptop').every(({ answer }) => answer === 'meets')).toBe(
      true,
    );
  });
});

describe('a ranking', () => {
  it('is by money for each image a second: the same machine for half the money costs half', async () => {
    const all = await asked(await example(euros(100), euros(50)));
    const costs = all.map(({ cost }) => cost!.value);
    expect([...costs].sort((a, b) => a - b)).toEqual(costs);
    expect(all.map(({ byCost }) => byCost)).toEqual(all.map((_, index) => index + 1));
    for (const { cost, throughput, device } of all) {
      expect(cost!.value).toBeCloseTo((device === 'laptop' ? 100 : 50) / throughput!.value, 9);
      expect(cost!.low).toBeLessThanOrEqual(cost!.value);
      expect(cost!.high).toBeGreaterThanOrEqual(cost!.value);
    }
  });

  it('is by energy where power is known, and says when the profile states it', async () => {
    const all = await asked(await example({ power: { load: 10 } }));
    for (const { energy, throughput, device } of all)
      if (device === 'board') expect(energy).toBeUndefined();
      else {
        expect(energy!.source).toBe('profile');
        expect(energy!.value).toBeCloseTo(10 / throughput!.value, 9);
      }
  });

  it('leaves out what fails', async () => {
    const all = await asked(await example(euros(100), euros(50)), {
      latency: { milliseconds: 1e-6, quantile: 0.5 },
    });
    expect(all.every(({ byCost, pareto }) => byCost === undefined && pareto === undefined)).toBe(true);
  });

  it('leaves out emulators unless they are asked for, and says what they are', async () => {
    const stored = await example(euros(100), { ...euros(1), emulated: true });
    const without = await asked(stored);
    expect(without.filter(({ byCost }) => byCost !== undefined).every(({ emulated }) => !emulated)).toBe(
      true,
    );
    const withThem = await asked(stored, {}, true);
    expect(withThem.find(({ byCost }) => byCost === 1)!.emulated).toBe(true);
    const { analysis } = stored;
    const { batch } = analysis.figures[0]!.latencies[0]!;
    for (const emulatedToo of [false, true]) {
      const notes = procurementTable(
        procure(analysis, { batch, constraints: nothing, emulatedToo }),
      ).notes.join(' ');
      expect(notes).toMatch(/emulat/i);
    }
  });

  it('in several currencies is refused, and so is a batch size that was not timed', async () => {
    const stored = await example(euros(1), { price: { amount: 1, currency: 'USD' } });
    expect((await refusalOf(() => asked(stored))).found).toBe('EUR, USD');
    const options = { batch: 999, constraints: nothing, emulatedToo: false };
    expect((await refusalOf(() => procure(stored.analysis, options))).source).toBe('--batch');
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
    const both = await example(
      { ...euros(100), power: { load: 10 } },
      { ...euros(50), power: { load: 5 } },
      slower,
    );
    const of = async (stored: Stored, name: string): Promise<Set<Ranked['pareto']>> =>
      new Set((await asked(stored)).filter(({ device }) => device === name).map(({ pareto }) => pareto));
    expect(await of(both, 'laptop')).toEqual(new Set(['dominated']));
    expect(await of(both, 'board')).not.toContain('dominated');
  });

  it('does not decide what intervals do not decide', async () => {
    // The same price and the same latencies but for chance.
    const all = await asked(await example(euros(100), euros(100)));
    expect(all.map(({ pareto }) => pareto)).toContain('cannot tell');
  });
});

describe('its chart', () => {
  it('draws every candidate that has a price', async () => {
    const { analysis } = await example(euros(100), euros(50));
    const { batch } = analysis.figures[0]!.latencies[0]!;
    const found = procure(analysis, { batch, constraints: nothing, emulatedToo: false });
    const svg = await renderSvg(procurementChart(found)!);
    for (const { variant, device } of found.candidates) expect(svg).toContain(`${variant} · ${device}`);
    const unpriced = procure((await storedExample(folder('b.db'))).analysis, {
      batch,
      constraints: nothing,
      emulatedToo: false,
    });
    expect(procurementChart(unpriced)).toBeUndefined();
  });
});

describe('a GPU that the processor plays', () => {
  /** The second device's GPU is SwiftShader. */
  const software = (database: Database): void => {
    const row = database.prepare("select environment_json from devices where name = 'board'").get() as {
      environment_json: string;
    };
    const gpu = {
      ...{ vendor: 'google', architecture: 'swiftshader', device: '', description: '' },
      ...{ software: true, features: [], limits: {} },
    };
    const environment = JSON.stringify({ ...(JSON.parse(row.environment_json) as object), gpu });
    database.prepare("update devices set environment_json = ? where name = 'board'").run(environment);
  };
  const boards = (all: readonly Ranked[]): Ranked[] => all.filter(({ device }) => device.startsWith('board'));

  it('is not ranked, unless that is asked for, and is named for what it is', async () => {
    const stored = await example(euros(100), euros(1), software);
    const usual = boards(await asked(stored));
    expect(usual.length).toBeGreaterThan(0);
    for (const { device, byCost, pareto, emulated } of usual) {
      expect(device).toContain('software GPU');
      expect({ byCost, pareto, emulated }).toEqual({ byCost: undefined, pareto: undefined, emulated: true });
    }
    const timed = boards(await asked(stored, {}, true)).filter(({ cost }) => cost !== undefined);
    expect(timed.length).toBeGreaterThan(0);
    for (const { byCost } of timed) expect(byCost).toBeGreaterThan(0);
  });
});
