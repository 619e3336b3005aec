import type { Database } from '../../../src/base/sqlite.js';
import { observe, type Observed } from '../../../src/analysis/procure/observe.js';
import type { Catalogue, Offer } from '../../../src/analysis/procure/offer.js';
import {
  procure,
  quantileOf,
  type Procurement,
  type ProcureQuestion,
} from '../../../src/analysis/procure/procurement.js';
import { storedExample, type Stored } from '../support/stored.js';

/** What a catalogue says of a device where a test does not care. */
export function offer(name: string, changes: Partial<Offer> = {}): Offer {
  return {
    ...{ name, path: `devices/${name}.yaml`, board: undefined, memoryBytes: undefined, count: undefined },
    ...{ price: undefined, power: undefined },
    ...changes,
  };
}

/** A price in euros of a day. */
export function euros(amount: number): Pick<Offer, 'price'> {
  return { price: { amount, currency: 'EUR', date: '2026-11-01' } };
}

/** A catalogue of some devices. */
export function catalogueOf(...offers: readonly Offer[]): Catalogue {
  return { offers, unreadable: [] };
}

/**
 * A stored run on a laptop and on a board that takes twice as long, every cell measured.
 *
 * @param path - of the database
 * @param change - changes rows before they are read
 */
export function twoDevices(path: string, change?: (database: Database) => void): Promise<Stored> {
  return storedExample(path, { devices: ['laptop', 'board'], smooth: true }, change);
}

/** Everything that a test may ask; what it leaves out is not limited. */
export function question(changes: Partial<ProcureQuestion> = {}): ProcureQuestion {
  return { batch: 1, constraints: {}, terms: undefined, rates: [], emulatedToo: false, ...changes };
}

/** What a stored run says to a question. */
export function observedIn({ analysis }: Stored, asked: ProcureQuestion): Observed {
  return observe(analysis.run, { batch: asked.batch, quantile: quantileOf(asked.constraints) });
}

/** A procurement out of stored runs. */
export function procured(
  stored: Stored | readonly Stored[],
  catalogue: Catalogue,
  changes: Partial<ProcureQuestion> = {},
): Procurement {
  const asked = question(changes);
  const runs = Array.isArray(stored) ? (stored as readonly Stored[]) : [stored as Stored];
  return procure(
    runs.map((run) => observedIn(run, asked)),
    catalogue,
    asked,
  );
}
