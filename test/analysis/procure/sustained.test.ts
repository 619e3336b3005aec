import { describe, expect, it } from 'vitest';
import type { ServedFacts } from '../../../src/analysis/procure/observe.js';
import {
  procure,
  type Procurement,
  type ProcureQuestion,
} from '../../../src/analysis/procure/procurement.js';
import { exactly } from '../../../src/stats/arithmetic.js';
import { reasonsFor, termsText } from '../../../src/text/procure/words.js';
import { useFolder } from '../../support/folder.js';
import { catalogueOf, euros, observedIn, offer, question, twoDevices } from './support.js';

const folder = useFolder();
let databases = 0;
const BOUND = 50;
const HEADROOM = 0.25;
const REQUESTS = 86_400 * 1000;
const PEAK = 3;
const use = { kind: 'load', requestsPerDay: REQUESTS, peak: PEAK, headroom: HEADROOM } as const;

/** A procurement in which the laptop was under load, and the board was not. */
async function found(served: ServedFacts, changes: Partial<ProcureQuestion> = {}): Promise<Procurement> {
  const asked = question({
    terms: { years: 3, energyPrice: { amount: 0, currency: 'EUR' }, use },
    ...changes,
  });
  const observed = observedIn(await twoDevices(folder(`${databases++}.db`)), asked);
  const under = observed.observations.map((each) => (each.device === 'laptop' ? { ...each, served } : each));
  const catalogue = catalogueOf(offer('laptop', { ...euros(100), count: 1e6 }), offer('board', euros(50)));
  return procure([{ ...observed, observations: under }], catalogue, asked);
}

/** Of a rate and a throughput, by the definition. */
const devices = (rate: number): number => Math.ceil((REQUESTS * PEAK) / 86_400 / (rate * (1 - HEADROOM)));

describe('a fleet for a load', () => {
  it('is counted by the rate that a device sustains where that was measured, by throughput elsewhere', async () => {
    const rate = { value: 2, low: 1.5, high: 2.5 };
    const procurement = await found({ rate, bound: BOUND, isSure: true });
    for (const candidate of procurement.candidates) {
      const { device, sustained, ownership, throughput, runs } = candidate;
      const said = reasonsFor(candidate, procurement).join(' ');
      if (device === 'laptop') {
        expect(throughput!.low).toBeGreaterThan(rate.high);
        expect(sustained).toEqual({ rate, bound: BOUND });
        expect(runs.served).toBe(runs.timed);
        expect(ownership!.fleet).toEqual({ value: devices(2), low: devices(2.5), high: devices(1.5) });
        expect(ownership!.purchase.value).toBe(100 * devices(2));
        expect(said).toContain(`p99 ≤ ${BOUND}`);
      } else {
        expect([sustained, runs.served]).toEqual([undefined, undefined]);
        expect(ownership!.fleet.value).toBe(devices(throughput!.value));
        expect(said).toContain('Counted by throughput');
      }
    }
    expect(termsText(procurement).join(' ')).toContain('where that was not measured, by throughput');
  });

  it.each([
    ['a bound within the limit', { milliseconds: BOUND, quantile: 0.99 }, true],
    ['a bound beyond it', { milliseconds: BOUND * 0.99, quantile: 0.99 }, false],
    ['a limit at a quantile that the bound says nothing of', { milliseconds: BOUND, quantile: 0.999 }, false],
  ])('is counted by a rate with %s: %o', async (_, latency, isCounted) => {
    const { candidates } = await found(
      { rate: exactly(2), bound: BOUND, isSure: true },
      { constraints: { latency } },
    );
    const laptops = candidates.filter(({ device }) => device === 'laptop');
    for (const { sustained } of laptops) expect(sustained !== undefined).toBe(isCounted);
  });

  it('does not meet the number that can be had by a rate of which nobody is sure', async () => {
    for (const isSure of [true, false]) {
      const { candidates } = await found({ rate: exactly(2), bound: BOUND, isSure });
      const laptops = candidates.filter(({ device }) => device === 'laptop');
      for (const { tests } of laptops) expect(tests.fleet!.answer).toBe(isSure ? 'meets' : 'cannot tell');
    }
  });

  it('says that no rate held, and goes by throughput then', async () => {
    const procurement = await found({ rate: undefined, bound: BOUND, isSure: true });
    const laptops = procurement.candidates.filter(({ device }) => device === 'laptop');
    for (const { missing, sustained, ownership, throughput } of laptops) {
      expect(missing).toContainEqual({ kind: 'no rate', bound: BOUND });
      expect(sustained).toBeUndefined();
      expect(ownership!.fleet.value).toBe(devices(throughput!.value));
    }
  });
});
