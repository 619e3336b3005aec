import type { Database } from '../base/sqlite.js';
import {
  CompiledQuery,
  SqliteDialect,
  SqliteDriver,
  type DatabaseConnection,
  type Driver,
  type OperationNode,
  type QueryResult,
} from 'kysely';
import { asStoreError } from './error.js';

/**
 * SQLite as Kysely's dialect, but: its errors name the file and the table; a transaction takes the lock for writing when it
 * begins, so that what it read first is still true when it writes; and a rollback that SQLite has done by itself, as it does
 * on a full disk, does not hide why.
 */
export class StoreDialect extends SqliteDialect {
  /**
   * @param database - the connection
   * @param path - the file, for messages
   */
  constructor(
    private readonly database: Database,
    private readonly path: string,
  ) {
    super({ database });
  }

  override createDriver(): Driver {
    return new StoreDriver(this.database, this.path);
  }
}

class StoreDriver extends SqliteDriver {
  private readonly explained = new WeakMap<DatabaseConnection, DatabaseConnection>();

  constructor(
    private readonly database: Database,
    private readonly path: string,
  ) {
    super({ database });
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    const plain = await super.acquireConnection();
    const known = this.explained.get(plain);
    if (known !== undefined) return known;
    const connection = new ExplainingConnection(plain, this.path);
    this.explained.set(plain, connection);
    return connection;
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.database.inTransaction) await super.rollbackTransaction(connection);
  }
}

class ExplainingConnection implements DatabaseConnection {
  constructor(
    private readonly plain: DatabaseConnection,
    private readonly path: string,
  ) {}

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    try {
      return await this.plain.executeQuery<R>(query);
    } catch (error) {
      throw asStoreError(error, this.path, tableOf(query.query));
    }
  }

  streamQuery<R>(query: CompiledQuery, size: number): AsyncIterableIterator<QueryResult<R>> {
    return this.plain.streamQuery<R>(query, size);
  }
}

/** The first table that a query names. */
function tableOf(node: OperationNode): string | undefined {
  let found: string | undefined;
  JSON.stringify(node, (key, value: unknown) => {
    if (found !== undefined) return undefined;
    if (key === 'table' && typeof value === 'object' && value !== null) {
      const { identifier } = value as { identifier?: { name?: string } };
      found = identifier?.name;
    }
    return value;
  });
  return found;
}
