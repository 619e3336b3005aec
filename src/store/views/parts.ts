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
  /** A query for the number of samples of each round that has some, their sum and their median: `round_id`, `n`, `total`, `median`. */
  readonly latencies: string;
  /** A query for the number of samples that a cell has. */
  readonly queriesOf: (cellId: string) => string;
  /** Whether a round has samples. */
  readonly hasSamples: (roundId: string) => string;
  /**
   * A query for what both rounds of a pair answered to the same image: `cell_id`, `image`, `label`, `predicted`, `fp32_predicted`.
   *
   * @param pairs - a table of `cell_id`, `round_id`, `fp32_round_id`
   */
  readonly answersOf: (pairs: string) => string;
}

/** SQLite's words (json1, which is part of it since 3.38). */
export const sqliteParts: SqlParts = {
  textIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  numberIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  flagIn: (column, ...path) => `json_extract(${column}, '$.${path.join('.')}')`,
  lengthIn: (column, ...path) => `json_array_length(${column}, '$.${path.join('.')}')`,
  joinNumbers: (column, path, alias) => `join json_each(${column}, '$.${path.join('.')}') ${alias}`,
  // Sorting few values many times takes less than numbering all samples of all runs.
  latencies: `select s.round_id, s.n, s.total,
      (
        select avg(value)
        from (
          select milliseconds as value, row_number() over (order by milliseconds) as place
          from samples own where own.round_id = s.round_id
        ) ranked
        where place in ((s.n + 1) / 2, (s.n + 2) / 2)
      ) as median
    from (select round_id, count(*) as n, sum(milliseconds) as total from samples group by round_id) s`,
  queriesOf: (cellId) =>
    `select count(*) from samples s join rounds r on r.id = s.round_id where r.cell_id = ${cellId}`,
  hasSamples: (roundId) => `exists (select 1 from samples s where s.round_id = ${roundId})`,
  // The tables of a cross join are taken in their order: by their keys.
  answersOf: (pairs) => `select p.cell_id, o.image, o.label, o.predicted, b.predicted as fp32_predicted
    from ${pairs} p cross join predictions o cross join predictions b
    where o.round_id = p.round_id and b.round_id = p.fp32_round_id and b.image = o.image`,
};

/** PostgreSQL's words, of JSON that lies in columns of texts. */
export const postgresParts: SqlParts = {
  textIn: (column, ...path) => inJsonb(column, path),
  numberIn: (column, ...path) => `cast(${inJsonb(column, path)} as double precision)`,
  flagIn: (column, ...path) => `cast(cast(${inJsonb(column, path)} as boolean) as integer)`,
  lengthIn: (column, ...path) => `jsonb_array_length(cast(${column} as jsonb) #> '{${path.join(',')}}')`,
  joinNumbers: (column, path, alias) =>
    `cross join lateral (select cast(each.value as double precision) as value from jsonb_array_elements_text(cast(${column} as jsonb) #> '{${path.join(',')}}') as each(value)) ${alias}`,
  latencies: `select round_id, queries as n, total_ms as total, median_ms as median from raw_samples where queries > 0`,
  // Sums of large integers are numbers of any length.
  queriesOf: (cellId) =>
    `select cast(coalesce(sum(s.queries), 0) as bigint) from raw_samples s join rounds r on r.id = s.round_id where r.cell_id = ${cellId}`,
  hasSamples: (roundId) =>
    `exists (select 1 from raw_samples s where s.round_id = ${roundId} and s.queries > 0)`,
  answersOf: (pairs) => `select p.cell_id, e.at - 1 as image, e.label, e.predicted, e.fp32_predicted
    from ${pairs} p join raw_predictions o on o.round_id = p.round_id
    join raw_predictions b on b.round_id = p.fp32_round_id
    cross join lateral unnest(o.label, o.predicted, b.predicted) with ordinality
      as e (label, predicted, fp32_predicted, at)
    where e.predicted is not null and e.fp32_predicted is not null`,
};

function inJsonb(column: string, path: readonly string[]): string {
  return `(cast(${column} as jsonb) #>> '{${path.join(',')}}')`;
}
