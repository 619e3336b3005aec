import {
  CompiledQuery,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type DialectAdapter,
  type Driver,
  type Kysely,
  type QueryCompiler,
  type QueryResult,
} from 'kysely';
import type Library from 'pg';
import { StoreError } from '../error.js';
import { asPostgresError } from './error.js';

/** PostgreSQL as Kysely's dialect, but: its errors name the database, and a connection that broke is not used again. */
export class ServerDialect implements Dialect {
  /**
   * @param pool - connections to the server, which end with the store
   * @param shown - the database's address without passwords, for messages
   * @param ofOneMoment - whether all that is read is what the database holds when it is first asked; nothing can be written then
   */
  constructor(
    private readonly pool: Library.Pool,
    private readonly shown: string,
    private readonly ofOneMoment: boolean,
  ) {}

  createDriver(): Driver {
    return new ServerDriver(this.pool, this.shown, this.ofOneMoment);
  }

  createQueryCompiler(): QueryCompiler {
    return new PostgresQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new PostgresAdapter();
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new PostgresIntrospector(db);
  }
}

class ServerDriver implements Driver {
  private readonly known = new WeakMap<Library.PoolClient, ServerConnection>();

  constructor(
    private readonly pool: Library.Pool,
    private readonly shown: string,
    private readonly ofOneMoment: boolean,
  ) {}

  init(): Promise<void> {
    return Promise.resolve();
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    let client: Library.PoolClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      throw asPostgresError(error, this.shown);
    }
    const known = this.known.get(client);
    if (known !== undefined) return known;
    const connection = new ServerConnection(client, this.shown);
    this.known.set(client, connection);
    // Whoever waits for an answer is told; an error while nobody does must not end the process.
    client.on('error', () => undefined);
    if (this.ofOneMoment)
      await connection.executeQuery(
        CompiledQuery.raw('begin transaction isolation level repeatable read, read only'),
      );
    return connection;
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin'));
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'));
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    try {
      await connection.executeQuery(CompiledQuery.raw('rollback'));
    } catch (error) {
      // A server that has gone has rolled back by itself; this must not hide why.
      if (!(error instanceof StoreError)) throw error;
    }
  }

  releaseConnection(connection: DatabaseConnection): Promise<void> {
    if (connection instanceof ServerConnection) connection.client.release(connection.broken);
    return Promise.resolve();
  }

  async destroy(): Promise<void> {
    await this.pool.end();
  }
}

class ServerConnection implements DatabaseConnection {
  /** Whether its server has gone, or still answers a query that nobody waits for. */
  broken = false;

  constructor(
    readonly client: Library.PoolClient,
    private readonly shown: string,
  ) {}

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    try {
      const { command, rowCount, rows } = await this.client.query<object & R>(sql, [...parameters]);
      const changes = ['INSERT', 'UPDATE', 'DELETE', 'MERGE'].includes(command);
      return { rows, ...(changes && { numAffectedRows: BigInt(rowCount ?? 0) }) };
    } catch (error) {
      const explained = asPostgresError(error, this.shown);
      if (explained instanceof StoreError && explained.kind === 'unreachable') this.broken = true;
      throw explained;
    }
  }

  // eslint-disable-next-line require-yield -- Kysely's interface has it; no query of ours streams
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    await Promise.resolve();
    throw new Error('no query of the store streams its rows');
  }
}
