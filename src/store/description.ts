/**
 * What the values of a column are. Of SQLite `integer` and `flag` are INTEGER, `real` is REAL, `bytes` BLOB, and all others TEXT:
 * `moment` is ISO 8601 in UTC, `json` a JSON text, `flag` 0 or 1.
 */
export type ColumnType = 'text' | 'integer' | 'real' | 'flag' | 'moment' | 'json' | 'bytes';

/** A column of a table, of a view or of an exported file, for readers. */
export interface ColumnDescription {
  readonly type: ColumnType;
  /** Left out where there is none: of names, counts and ratios. */
  readonly unit?: string;
  readonly meaning: string;
  /** Whether a row may have nothing there; the meaning says when. */
  readonly mayBeNull?: true;
}

/** Columns by name, in their order. */
export type ColumnDescriptions = Readonly<Record<string, ColumnDescription>>;

/** A text. */
export function text(meaning: string): ColumnDescription {
  return { type: 'text', meaning };
}

/**
 * A whole number.
 *
 * @param unit - left out for counts and numbers of things
 */
export function whole(meaning: string, unit?: string): ColumnDescription {
  return { type: 'integer', meaning, ...(unit !== undefined && { unit }) };
}

/**
 * A number.
 *
 * @param unit - left out for ratios
 */
export function real(meaning: string, unit?: string): ColumnDescription {
  return { type: 'real', meaning, ...(unit !== undefined && { unit }) };
}

/** 1 for yes, 0 for no. */
export function flag(meaning: string): ColumnDescription {
  return { type: 'flag', meaning };
}

/** A moment in ISO 8601, UTC. */
export function moment(meaning: string): ColumnDescription {
  return { type: 'moment', meaning };
}

/** A JSON text. */
export function json(meaning: string): ColumnDescription {
  return { type: 'json', meaning };
}

/** Bytes. */
export function bytes(meaning: string): ColumnDescription {
  return { type: 'bytes', meaning };
}

/** The same column where a row may have nothing. */
export function orNull(column: ColumnDescription): ColumnDescription {
  return { ...column, mayBeNull: true };
}

/**
 * The three columns of an estimate: its value and the ends of its 95 % interval.
 *
 * @param name - of the value's column, with its unit at the end: `median_ms`
 * @param meaning - of the value
 * @param unit - left out for ratios
 */
export function estimate(name: string, meaning: string, unit?: string): ColumnDescriptions {
  const [, stem = name, end = ''] = /^(.*?)((?:_(?:ms|bytes|per_s))?)$/.exec(name) ?? [];
  const end95 = (which: string): ColumnDescription =>
    orNull(real(`${which} end of the 95 % interval of \`${name}\`; null where that is.`, unit));
  return {
    [name]: orNull(real(meaning, unit)),
    [`${stem}_low${end}`]: end95('Lower'),
    [`${stem}_high${end}`]: end95('Upper'),
  };
}
