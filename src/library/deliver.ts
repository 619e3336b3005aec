import { messageOf } from '../base/errors.js';
import { withoutPassword } from '../base/server-address.js';
import { StoreError } from '../store/error.js';

/** What was stored here could not be brought to a shared database: which, and why. */
export interface Undelivered {
  readonly kind: 'undelivered';
  /** The database's address, without its password. */
  readonly place: string;
  readonly reason: string;
}

/**
 * Brings something to a shared database that is stored here already: a server that has gone meanwhile is told of, and takes nothing with it.
 *
 * @param address - of the database
 * @param emit - told where it could not be delivered
 * @param deliver - what to do
 * @throws what else is wrong with it
 */
export async function orUndelivered(
  address: string,
  emit: (event: Undelivered) => void,
  deliver: () => Promise<unknown>,
): Promise<void> {
  try {
    await deliver();
  } catch (error) {
    if (!(error instanceof StoreError) || (error.kind !== 'unreachable' && error.kind !== 'busy'))
      throw error;
    emit({ kind: 'undelivered', place: withoutPassword(address), reason: messageOf(error) });
  }
}
