import type { Pool, PoolClient, QueryResult, QueryResultRow } from 'pg';
import { InputError, ResourceError } from '../base/errors.js';
import { checkedAddress, withoutPassword } from '../base/server-address.js';
import { StoreError } from '../store/error.js';
import { asPostgresError } from '../store/postgres/error.js';
import { connections } from '../store/postgres/library.js';
import { CHANGES, SCHEMA } from './schema.js';

/** What queries go to: the database, or a transaction of it. */
export interface Queries {
  query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>>;
}

/** An answer that takes longer means that the server has gone, in milliseconds: none of the queue's takes a hundredth of it. */
const ANSWER_MILLISECONDS = 30_000;

/**
 * A transaction in which nothing is asked for longer is undone by the server, in milliseconds: whoever began it was cut off, and what it has
 * locked, a job and its machine, others could take. Between two statements of the queue's lies no work.
 */
const TRANSACTION_IDLES = 5000;

/** How often a transaction is tried that others have got in the way of. */
const ATTEMPTS = 5;

/** The database's code for a lock that others have kept for as long as anybody waits. */
const LOCK_NOT_AVAILABLE = '55P03';

/** Connections of a process. */
const MOST_CONNECTIONS = 8;

/** Connections of a process to the queue. */
export class Connection implements Queries {
  /** The last thing that is done alone. */
  private last: Promise<void> = Promise.resolve();

  private constructor(
    private readonly pool: Pool,
    /** The address, as it may be shown. */
    private readonly shown: string,
  ) {}

  /**
   * Connects, and brings the queue's tables up to date: in one transaction, which others wait for.
   *
   * @param url - `postgres://user@host/database`
   * @param further - brings up to date what else lies in the database, before anybody else may
   * @throws InputError when the address is none, the database is not there, may not be used or belongs to a newer version;
   *   ResourceError when the server cannot be reached
   */
  static async open(url: string, further: (connection: Connection) => Promise<void>): Promise<Connection> {
    const shown = withoutPassword(checkedAddress(url, '--db'));
    const pool = await connections(url, {
      ...{ most: MOST_CONNECTIONS, answerWithin: ANSWER_MILLISECONDS, transactionIdles: TRANSACTION_IDLES },
    });
    const connection = new Connection(pool, shown);
    try {
      await connection.locked(async (client) => {
        await changed(client, shown);
        await further(connection);
      });
      return connection;
    } catch (error) {
      await pool.end();
      throw error;
    }
  }

  /** @throws QueueAway when the server does not answer; StoreError when it refuses */
  async query<Row extends QueryResultRow>(text: string, values?: unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.pool.query<Row>(text, values);
    } catch (error) {
      throw explained(error, this.shown);
    }
  }

  /**
   * Does something in one transaction.
   *
   * @param work - what to do; when it throws, nothing of it is kept
   * @throws what the work throws; ResourceError when the server goes meanwhile: whether it was kept is not known then
   */
  async transaction<T>(work: (client: Queries) => Promise<T>): Promise<T> {
    for (let time = 1; ; time++)
      try {
        return await this.attempt(work);
      } catch (error) {
        if (time >= ATTEMPTS || !isConflict(error)) throw error;
      }
  }

  private async attempt<T>(work: (client: Queries) => Promise<T>): Promise<T> {
    return this.withClient(async (client) => {
      // What a worker is told to be kept it removes: also a server that answers before it has written must write then, and all before it.
      await client.query('begin; set local synchronous_commit = on');
      try {
        const result = await work(client);
        await client.query('commit');
        return result;
      } catch (error) {
        // A connection that broke has rolled it back by itself.
        await client.query('rollback').catch(() => undefined);
        throw error;
      }
    });
  }

  /** Gives the connections back. */
  async close(): Promise<void> {
    await this.pool.end();
  }

  /**
   * Does something under a name that nobody else does at the same time, in whichever process. Of this process, one after the other:
   * each keeps a connection, and signs of life need some, too.
   *
   * @param name - what is done alone
   * @param work - what to do, on connections of its own
   */
  async alone<T>(name: string, work: () => Promise<T>): Promise<T> {
    const before = this.last;
    let done = (): void => undefined;
    this.last = new Promise((resolve) => (done = resolve));
    await before;
    try {
      for (;;) {
        const lock: { isMine: boolean } = { isMine: false };
        try {
          return await this.transaction(async (client) => {
            // It idles for as long as the work takes.
            await client.query('set local idle_in_transaction_session_timeout = 0');
            await client.query('select pg_advisory_xact_lock(hashtextextended($1, 1))', [name]);
            lock.isMine = true;
            return work();
          });
        } catch (error) {
          // Others have had it for longer than anybody waits for a lock.
          if (lock.isMine || codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
        }
      }
    } finally {
      done();
    }
  }

  /** Does something that no two processes may do to a database at once. */
  private async locked(work: (client: PoolClient) => Promise<void>): Promise<void> {
    await this.withClient(async (client) => {
      await client.query(`select pg_advisory_lock(hashtext('${SCHEMA}'))`);
      try {
        await work(client);
      } finally {
        await client.query(`select pg_advisory_unlock(hashtext('${SCHEMA}'))`);
      }
    });
  }

  private async withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    let client: PoolClient | undefined;
    let broken: Error | undefined;
    const onError = (error: Error): void => {
      broken = error;
    };
    try {
      client = await this.pool.connect();
      client.on('error', onError);
      return await work(client);
    } catch (error) {
      const said = explained(error, this.shown);
      if (said instanceof QueueAway) broken = said;
      throw said;
    } finally {
      client?.off('error', onError);
      client?.release(broken);
    }
  }
}

/** The queue's database does not answer at the moment: it may again. */
export class QueueAway extends ResourceError {}

async function changed(client: PoolClient, shown: string): Promise<void> {
  await client.query('begin');
  try {
    const known = await client.query<{ readonly there: boolean }>(
      `select to_regclass('${SCHEMA}.change') is not null as there`,
    );
    if (known.rows[0]?.there !== true)
      await client.query(
        `create schema if not exists ${SCHEMA}; create table ${SCHEMA}.change (number integer primary key)`,
      );
    const { rows } = await client.query<{ readonly count: number }>(
      `select count(*)::integer as count from ${SCHEMA}.change`,
    );
    const done = rows[0]?.count ?? 0;
    if (done > CHANGES.length)
      throw new InputError({
        source: shown,
        found: 'a queue of a newer version of EdgeFlex',
        expected: 'one of this version or an older one',
        hint: 'Install the newer version here, too.',
      });
    for (const [index, change] of CHANGES.entries()) {
      if (index < done) continue;
      await client.query(change);
      await client.query(`insert into ${SCHEMA}.change values ($1)`, [index + 1]);
    }
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

/** Whether the server has undone a transaction because of another one, which says nothing against trying again. */
function isConflict(error: unknown): boolean {
  return codeOf(error)?.startsWith('40') === true;
}

/** What the server said, by the code of the error that an explained one is made of. */
function codeOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}

function explained(error: unknown, shown: string): unknown {
  if (error instanceof QueueAway) return error;
  const said = asPostgresError(error, shown);
  const isAway = said instanceof StoreError && (said.kind === 'unreachable' || said.kind === 'busy');
  return isAway ? new QueueAway(said.message, { cause: error }) : said;
}
