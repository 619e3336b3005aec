import type Library from 'pg';
import { optional } from '../../base/optional.js';

/** `int8` and `numeric`, which the driver gives as texts: counts, bytes and their sums are all safe as numbers. */
const NUMBERS: ReadonlySet<number> = new Set([20, 1700]);

/**
 * A machine that is cut off says no farewell. The server is to notice within some 15 s, and to give up its transaction: until then others
 * wait for what that has locked.
 */
const GONE_AFTER =
  '-c tcp_keepalives_idle=6 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c tcp_user_timeout=15000';

/** How long a server may take to let us in, in milliseconds. */
const PATIENCE = 10_000;

/** What a connection is asked for. */
export interface PoolWishes {
  /** Connections at most. */
  readonly most: number;
  /** A query that takes longer has lost its server, in milliseconds; undefined: as long as it takes. */
  readonly answerWithin?: number | undefined;
  /** The server gives up a transaction in which nothing was asked for longer, in milliseconds; undefined: it waits for as long as it is connected. */
  readonly transactionIdles?: number | undefined;
}

/**
 * Connections to a PostgreSQL server, each made when it is needed. Its driver is loaded for this alone: no other command waits for it.
 *
 * @param address - of the database
 * @param wishes - how many, and how patient
 * @throws InputError when the driver is not installed
 */
export async function connections(
  address: string,
  { most, answerWithin, transactionIdles }: PoolWishes,
): Promise<Library.Pool> {
  const { Pool, types } = await loadLibrary();
  const usual = types.getTypeParser as (oid: number) => (text: string) => unknown;
  const pool = new Pool({
    connectionString: address,
    application_name: 'edgeflex',
    // Its objects lie in a schema of their own, apart from what else the database holds. Compiling the views takes longer than running them.
    options: `-c search_path=edgeflex -c lock_timeout=10s -c timezone=UTC -c jit=off ${GONE_AFTER}`,
    connectionTimeoutMillis: PATIENCE,
    keepAlive: true,
    max: most,
    types: {
      getTypeParser: (oid: number) => (NUMBERS.has(oid) ? Number : usual(oid)),
    },
    ...(answerWithin !== undefined && { query_timeout: answerWithin }),
    ...(transactionIdles !== undefined && { idle_in_transaction_session_timeout: transactionIdles }),
  });
  // One that breaks while nobody uses it is replaced when the next is needed; whoever uses it is told.
  pool.on('error', () => undefined);
  return pool;
}

async function loadLibrary(): Promise<typeof Library> {
  const part = {
    ...{ packages: ['pg'], source: 'a results database on a server', what: 'the driver of PostgreSQL' },
    without: 'Results in a folder need none.',
  };
  return (await optional(part, () => import('pg'))).default;
}
