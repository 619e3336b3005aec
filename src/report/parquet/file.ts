import type { ColumnSource, Writer } from 'hyparquet-writer';
import type { ColumnDescription, ColumnDescriptions, ColumnType } from '../../store/description.js';

/** Version of the files: it grows when a column goes or changes its meaning, not when one is added. */
const PARQUET_VERSION = 1;

/** Rows of a row group. */
const GROUP = 100_000;

/** What a file is. */
export interface ParquetKind {
  /** Of what a row is one: `samples`. */
  readonly name: string;
  readonly columns: ColumnDescriptions;
  /** EdgeFlex's version. */
  readonly version: string;
}

/** A row by column: as the database or an exporter has it. */
export type ParquetRow = Readonly<Record<string, unknown>>;

/** A Parquet file that is being written; close it. */
export interface ParquetFile {
  /**
   * Adds rows as row groups of their own.
   *
   * @param rows - with every column of the file
   * @throws RangeError when a value is not what its column is described to hold
   */
  add(rows: readonly ParquetRow[]): void;
  /** Writes the end of the file, without which it cannot be read. */
  close(): void;
}

/** Types of Parquet. Whole numbers have 64 bits: bytes and parameters need them. */
const TYPES: Readonly<
  Record<ColumnType, 'STRING' | 'INT64' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMP' | 'JSON' | 'BYTE_ARRAY'>
> = {
  ...{ text: 'STRING', integer: 'INT64', real: 'DOUBLE', flag: 'BOOLEAN', moment: 'TIMESTAMP' },
  ...{ json: 'JSON', bytes: 'BYTE_ARRAY' },
};

/**
 * Begins a Parquet file. Types are the columns'; in the file's metadata stand `edgeflex.kind`, `edgeflex.schema` (`PARQUET_VERSION`) and
 * `edgeflex.columns`: type, unit and meaning of every column as JSON.
 *
 * @param path - of the file; what is there is replaced
 * @param kind - what it is
 */
export async function openParquet(path: string, kind: ParquetKind): Promise<ParquetFile> {
  const { fileWriter } = await import('hyparquet-writer');
  return begun(fileWriter(path), kind);
}

async function begun(target: Writer, kind: ParquetKind): Promise<ParquetFile> {
  const { ParquetWriter, schemaFromColumnData } = await import('hyparquet-writer');
  const { columns } = kind;
  const writer = new ParquetWriter({
    writer: target,
    schema: schemaFromColumnData({ columnData: sourcesOf(columns, []) }),
    kvMetadata: [
      { key: 'edgeflex.kind', value: kind.name },
      { key: 'edgeflex.schema', value: String(PARQUET_VERSION) },
      { key: 'edgeflex.columns', value: JSON.stringify(columns) },
    ],
    createdBy: `EdgeFlex ${kind.version}`,
  });
  return {
    add: (rows) => {
      if (rows.length > 0) void writer.write({ columnData: sourcesOf(columns, rows), rowGroupSize: GROUP });
    },
    close: () => void writer.finish(),
  };
}

/**
 * A Parquet file in memory, as `openParquet` writes it.
 *
 * @param kind - what it is
 * @param rows - with every column of the file
 * @throws RangeError when a value is not what its column is described to hold
 */
export async function parquetBytes(kind: ParquetKind, rows: readonly ParquetRow[]): Promise<Uint8Array> {
  const { ByteWriter } = await import('hyparquet-writer');
  const writer = new ByteWriter();
  const file = await begun(writer, kind);
  file.add(rows);
  file.close();
  return writer.getBytes();
}

function sourcesOf(columns: ColumnDescriptions, rows: readonly ParquetRow[]): ColumnSource[] {
  return Object.entries(columns).map(([name, column]) => ({
    name,
    type: TYPES[column.type],
    nullable: column.mayBeNull === true,
    data: rows.map((row) => valueOf(row[name], name, column)),
  }));
}

function valueOf(value: unknown, name: string, { type, mayBeNull }: ColumnDescription): unknown {
  if (value === null || value === undefined) {
    if (mayBeNull === true) return null;
    throw new RangeError(`${name} has nothing, where ${type} is expected`);
  }
  switch (type) {
    case 'integer':
      if (Number.isSafeInteger(value)) return BigInt(value as number);
      break;
    case 'real':
      // What is not finite is not known.
      if (typeof value === 'number') return Number.isFinite(value) ? value : null;
      break;
    case 'flag':
      if (value === 0 || value === 1) return value === 1;
      break;
    case 'moment':
      if (typeof value === 'string') return new Date(value);
      break;
    case 'json':
      if (typeof value === 'string') return JSON.parse(value);
      break;
    case 'text':
      if (typeof value === 'string') return value;
      break;
    case 'bytes':
      if (value instanceof Uint8Array) return value;
  }
  throw new RangeError(`${name} is ${JSON.stringify(value)}, where ${type} is expected`);
}
