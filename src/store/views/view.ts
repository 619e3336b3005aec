import type { ColumnDescriptions } from '../description.js';
import type { SqlParts } from './parts.js';

/** A view of the database: an answer to a question that people ask, in columns with names and units. */
export interface View {
  readonly name: string;
  /** What it answers. */
  readonly question: string;
  /** What else a reader must know; left out where there is nothing. */
  readonly note?: string;
  readonly columns: ColumnDescriptions;
  /**
   * The query behind it, whose columns are those of `columns` in their order.
   *
   * @param parts - what the database says in a way of its own
   */
  readonly sql: (parts: SqlParts) => string;
}
