import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import { commonCurrency, converted, parseExchangeRate } from '../analysis/procure/money.js';
import {
  pairOf,
  variantsOn,
  type DevicePair,
  type PairedDevice,
  type VariantOnDevice,
} from '../analysis/procure/pair.js';
import { catalogueName } from '../analysis/procure/observe.js';
import { hasFigures, runsOf } from '../store/newest.js';
import { listRuns, loadRun, runsBeginning, storedDevices } from '../store/read.js';
import { readCatalogue } from './catalogue.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** How two devices are compared. */
export interface CompareDevicesOptions {
  /** Only runs of this suite. */
  readonly suite?: string | undefined;
  /** A folder of device profiles with prices; left out, `devices/` and the built-in ones. */
  readonly devices?: string | undefined;
  /** What currencies are worth, such as `USD=0.86EUR`. */
  readonly exchange?: readonly string[] | undefined;
}

const optionsSchema = z.strictObject({
  suite: z.string().min(1).optional(),
  devices: z.string().min(1).optional(),
  exchange: z.array(z.string().min(1)).default([]),
});

/** Two devices side by side, and what their prices are told in. */
export interface DeviceComparison extends DevicePair {
  /** Undefined where neither has a price. */
  readonly currency: string | undefined;
}

/**
 * Compares two devices by the variants that stored runs measured on both: speed, memory, agreement of classes, cost.
 *
 * @param results - open, or their folder
 * @param first - a device by its name
 * @param second - another
 * @param options - which runs, which prices
 * @throws InputError when a device was not measured, or prices are in currencies that no rate converts
 *
 * @example
 * ```ts
 * const { figures } = await compareDevices('results', 'local-cpu', 'raspberry-pi-5');
 * for (const { recipe, batch, speed } of figures) console.log(recipe, batch, speed?.value);
 * ```
 */
export async function compareDevices(
  results: Results | string,
  first: string,
  second: string,
  options: CompareDevicesOptions = {},
): Promise<DeviceComparison> {
  const asked = checkedOptions('compareDevices', options, optionsSchema);
  const rates = asked.exchange.map(parseExchangeRate);
  if (first === second)
    throw new InputError({
      source: 'devices compare',
      found: `${first} twice`,
      expected: 'two devices',
    });
  const catalogue = await readCatalogue(asked.devices);
  return withResults(results, { readonly: true }, async ({ db }) => {
    const ids = new Set(
      runsOf(await listRuns(db), asked.suite)
        .filter(hasFigures)
        .map(({ id }) => id),
    );
    const seen: VariantOnDevice[] = [];
    const measured = new Set<string>();
    for (const run of await runsBeginning(db, '')) {
      if (!ids.has(run.id)) continue;
      const names = (await storedDevices(db, run.id)).map(catalogueName);
      for (const name of names) measured.add(name);
      // Whole runs are large: those of other devices stay where they are.
      if (names.includes(first) || names.includes(second))
        seen.push(...variantsOn(await loadRun(db, run), [first, second]));
    }
    for (const name of [first, second]) if (!measured.has(name)) refuseUnmeasured(name, [...measured]);
    const offers = catalogue.offers.filter(({ name }) => name === first || name === second);
    const currency = commonCurrency(offers, undefined, rates);
    const paired = (name: string): PairedDevice => {
      const price = offers.find((offer) => offer.name === name)?.price;
      const own = seen.find(({ device }) => device === name);
      return {
        ...{ name, label: own?.label ?? name, emulated: own?.emulated ?? false },
        price: price && currency !== undefined ? converted(price, currency, rates) : undefined,
      };
    };
    return { ...pairOf(seen, paired(first), paired(second)), currency };
  });
}

function refuseUnmeasured(name: string, measured: readonly string[]): never {
  throw new InputError({
    source: 'devices compare',
    found: `${name}, on which no run has measured anything${didYouMean(name, measured)}`,
    expected: measured.length > 0 ? `one of ${[...measured].sort().join(', ')}` : 'a device of a stored run',
  });
}
