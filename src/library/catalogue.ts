import { readBytes } from '../base/quantities.js';
import type { Catalogue, Offer } from '../analysis/procure/offer.js';
import type { DeviceProfile } from '../device/kind.js';
import { listDevices } from './devices.js';

/**
 * What can be bought, as device profiles say it now. One that cannot be read is named, and does not hide the others.
 *
 * @param folder - only profiles in this one; undefined: those of `devices/` and the built-in ones
 * @throws InputError when the folder has none
 */
export async function readCatalogue(folder: string | undefined): Promise<Catalogue> {
  const read = await listDevices(folder);
  return {
    offers: read.flatMap((each) => ('profile' in each ? [offerOf(each.profile, each.path)] : [])),
    unreadable: read.flatMap((each) => ('fault' in each ? [each] : [])),
  };
}

function offerOf({ name, board, memory, count, price, power }: DeviceProfile, path: string): Offer {
  return {
    ...{ name, path, board, count },
    memoryBytes: memory === undefined ? undefined : readBytes(memory),
    price: price && { amount: price.amount, currency: price.currency, date: price.date },
    power: power && { idle: power.idle, load: power.load },
  };
}
