/** What SQL of one database says otherwise than that of another. Paths are fields of JSON objects, from the outside in. */
export interface SqlParts {
  /** A text in a JSON column; null where it is not there. */
  readonly textIn: (column: string, ...path: readonly string[]) => string;
  /** A number in a JSON column; null where it is not there. */
  readonly numberIn: (column: string, ...path: readonly string[]) => string;
  /** 1 or 0 for true or false in a JSON column; null where it is not there. */
  readonly flagIn: (column: string, ...path: readonly string[]) => string;
  /** How many entries a list in a JSON column has; null where it is not there. */
  readonly lengthIn: (column: string, ...path: readonly string[]) => string;
  /**
   * What joins a table with the numbers of a list in one of its JSON columns; where the list is not there, the row goes.
   *
   * @param alias - of what is joined; each number is `value` in it
   */
  readonly joinNumbers: (column: string, path: readonly string[], alias: string) => string;
}

/** SQLite's words (json1, which is part of it since 3.38). */
export const sqliteParts: SqlParts = {
  textIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  numberIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  flagIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  lengthIn: (column, ...path) => `json_array_length(${column}, '$.${path.join('.')}')`,
  joinNumbers: (column, path, alias) => `join json_each(${column}, '$.${path.join('.')}') ${alias}`,
};

/** PostgreSQL's words, of JSON that lies in columns of texts. */
export const postgresParts: SqlParts = {
  textIn: (column, ...path) => inJsonb(column, path),
  numberIn: (column, ...path) => `cast(${inJsonb(column, path)} as double precision)`,
  flagIn: (column, ...path) => `cast(cast(${inJsonb(column, path)} as boolean) as integer)`,
  lengthIn: (column, ...path) => `jsonb_array_length(cast(${column} as jsonb) #> '{${path.join(',')}}')`,
  joinNumbers: (column, path, alias) =>
    `cross join lateral (select cast(each.value as double precision) as value from jsonb_array_elements_text(cast(${column} as jsonb) #> '{${path.join(',')}}') as each(value)) ${alias}`,
};

function inJsonb(column: string, path: readonly string[]): string {
  return `(cast(${column} as jsonb) #>> '{${path.join(',')}}')`;
}
