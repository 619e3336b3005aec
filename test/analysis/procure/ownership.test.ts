import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownershipOf, type OwnedDevice, type Terms } from '../../../src/analysis/procure/ownership.js';
import { exactly } from '../../../src/stats/arithmetic.js';

const device: OwnedDevice = { price: 100, throughput: exactly(10), busy: exactly(10), idle: 4 };
const load = (requestsPerDay: number, peak: number, headroom: number): Terms['use'] => ({
  ...{ kind: 'load', requestsPerDay, peak, headroom },
});

describe('the cost of owning devices', () => {
  it('is as worked out by hand for a load', () => {
    // 5 requests a second, 10 at the peak; 8 of 10 a device: 2 devices, each busy for a quarter of the time, with 5.5 W.
    const found = ownershipOf(device, { years: 2, energyPrice: 0.5, use: load(432_000, 2, 0.2) })!;
    expect(found.fleet).toEqual(exactly(2));
    expect(found.utilisation).toBeCloseTo(0.25, 12);
    expect(found.purchase.value).toBe(200);
    expect(found.energy!.value).toBeCloseTo(192.852, 9);
    expect(found.energyCost.value).toBeCloseTo(96.426, 9);
    expect(found.total.value).toBeCloseTo(296.426, 9);
    // 315,576,000 images in two years.
    expect(found.perMillion.value).toBeCloseTo(296.426 / 315.576, 9);
    expect(found.perMillion.low).toBe(found.perMillion.high);
  });

  it('is as worked out by hand for a utilisation', () => {
    // One device, half of the time: 5 images a second, 7 W.
    const use = { kind: 'utilisation', share: 0.5 } as const;
    const found = ownershipOf(device, { years: 4, energyPrice: 0.25, use })!;
    expect(found.fleet).toEqual(exactly(1));
    expect(found.energy!.value).toBeCloseTo(4 * 8766 * 0.007, 9);
    expect(found.total.value).toBeCloseTo(100 + 4 * 8766 * 0.007 * 0.25, 9);
    expect(found.perMillion.value).toBeCloseTo(found.total.value / ((5 * 4 * 31_557_600) / 1e6), 9);
  });

  it('counts devices by the rate that they sustain, of which no more counts than the throughput', () => {
    // 10 requests a second at the peak: a device of 10 that sustains 6 takes 4.8 of them, so that three are needed, each busy for a sixth.
    const terms: Terms = { years: 2, energyPrice: 0.5, use: load(432_000, 2, 0.2) };
    const found = ownershipOf({ ...device, sustained: exactly(6) }, terms)!;
    expect(found.fleet).toEqual(exactly(3));
    expect(found.utilisation).toBeCloseTo(1 / 6, 12);
    expect(found.energy!.value).toBeCloseTo((3 * 5 * 2 * 8766) / 1000, 9);
    expect(found.total.value).toBeCloseTo(300 + (3 * 5 * 2 * 8766 * 0.5) / 1000, 9);
    expect(ownershipOf({ ...device, sustained: exactly(11) }, terms)).toEqual(ownershipOf(device, terms));
    const range = ownershipOf({ ...device, sustained: { value: 6, low: 4, high: 7 } }, terms)!;
    expect(range.fleet).toEqual({ value: 3, low: 2, high: 4 });
    const half: Terms = { ...terms, use: { kind: 'utilisation', share: 0.5 } };
    expect(ownershipOf({ ...device, sustained: exactly(6) }, half)).toEqual(ownershipOf(device, half));
  });

  it('is the purchase alone where energy costs nothing, whether or not its power is known', () => {
    const free: Terms = { years: 3, energyPrice: 0, use: load(1_000_000, 3, 0.3) };
    const unknown = ownershipOf({ ...device, busy: undefined, idle: undefined }, free)!;
    const known = ownershipOf(device, free)!;
    expect(unknown.total).toEqual(unknown.purchase);
    expect(unknown.total).toEqual(known.total);
    expect([unknown.energy, unknown.idleUnknown]).toEqual([undefined, false]);
    // 34.7 a second against 7.
    expect(known.fleet.value).toBe(5);
  });

  it('of one request a day is that of one device at rest', () => {
    const found = ownershipOf(device, { years: 1, energyPrice: 1, use: load(1, 1, 0) })!;
    expect(found.fleet).toEqual(exactly(1));
    expect(found.total.value).toBeCloseTo(100 + 8.766 * 4, 3);
    expect(found.perMillion.value).toBeCloseTo((1e6 * found.total.value) / 365.25, 6);
  });

  it('takes a fleet that is exactly large enough', () => {
    const fleet = (requests: number, throughput: number): number =>
      ownershipOf(
        { ...device, throughput: exactly(throughput) },
        { years: 1, energyPrice: 0, use: load(requests, 1, 0) },
      )!.fleet.value;
    // 0.3 / 0.1 is a little more than 3 in binary.
    expect(fleet(86_400 * 0.3, 0.1)).toBe(3);
    expect(fleet(86_400 * 3, 1)).toBe(3);
    expect(fleet(86_400 * 3 + 1, 1)).toBe(4);
  });

  it('is not known where energy costs something and the power is not known', () => {
    expect(
      ownershipOf({ ...device, busy: undefined }, { years: 1, energyPrice: 0.1, use: load(1, 1, 0) }),
    ).toBeUndefined();
  });

  it('goes from no power at rest to that at work where nobody states it', () => {
    const terms: Terms = { years: 1, energyPrice: 1, use: load(86_400, 1, 0) };
    const found = ownershipOf({ ...device, idle: undefined }, terms)!;
    const at = (idle: number): number => ownershipOf({ ...device, idle }, terms)!.total.value;
    expect(found.idleUnknown).toBe(true);
    expect(found.total.low).toBeCloseTo(at(1e-12), 6);
    expect(found.total.high).toBeCloseTo(at(10), 9);
    // More than at work is not taken at rest.
    expect(at(99)).toBe(at(10));
  });

  it('holds whatever throughput and power turn out to be within their intervals', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.record({
          low: fc.double({ min: 0.1, max: 50, noNaN: true }),
          width: fc.double({ min: 1, max: 3, noNaN: true }),
          watts: fc.double({ min: 1, max: 50, noNaN: true }),
          idle: fc.option(fc.double({ min: 0.1, max: 60, noNaN: true }), { nil: undefined }),
          requests: fc.integer({ min: 1, max: 10_000_000 }),
          peak: fc.double({ min: 1, max: 10, noNaN: true }),
          headroom: fc.double({ min: 0, max: 0.9, noNaN: true }),
          energyPrice: fc.double({ min: 0, max: 2, noNaN: true }),
          utilisation: fc.boolean(),
          at: fc.tuple(share, share, share),
        }),
        ({ low, width, watts, idle, requests, peak, headroom, energyPrice, utilisation, at }) => {
          const use = utilisation
            ? ({ kind: 'utilisation', share: 1 / peak } as const)
            : load(requests, peak, headroom);
          const terms: Terms = { years: 3, energyPrice, use };
          const throughput = { value: low * Math.sqrt(width), low, high: low * width };
          const busy = { value: watts * 1.05, low: watts, high: watts * 1.1 };
          const found = ownershipOf({ price: 50, throughput, busy, idle }, terms)!;
          const power = watts * (1 + 0.1 * at[1]);
          const one = ownershipOf(
            {
              price: 50,
              throughput: exactly(low * (1 + (width - 1) * at[0])),
              busy: exactly(power),
              idle: idle ?? power * at[2],
            },
            terms,
          )!;
          for (const figure of ['fleet', 'energy', 'total', 'perMillion'] as const) {
            const [within, value] = [found[figure]!, one[figure]!.value];
            expect(value).toBeGreaterThanOrEqual(within.low * (1 - 1e-9));
            expect(value).toBeLessThanOrEqual(within.high * (1 + 1e-9));
            expect(within.low).toBeLessThanOrEqual(within.value * (1 + 1e-9));
            expect(within.value).toBeLessThanOrEqual(within.high * (1 + 1e-9));
          }
        },
      ),
    );
  });

  it('falls with throughput, and rises with the price of energy and the years', () => {
    const total = (change: Partial<OwnedDevice>, terms: Partial<Terms> = {}): number =>
      ownershipOf({ ...device, ...change }, { years: 2, energyPrice: 0.3, use: load(5e6, 2, 0.3), ...terms })!
        .total.value;
    expect(total({ throughput: exactly(20) })).toBeLessThan(total({}));
    expect(total({}, { energyPrice: 0.6 })).toBeGreaterThan(total({}));
    expect(total({}, { years: 3 })).toBeGreaterThan(total({}));
  });
});
