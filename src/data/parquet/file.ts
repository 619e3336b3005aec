import type { AsyncBuffer, FileMetaData, SchemaTree } from 'hyparquet';
import { firstLine, foundBy, InputError, messageOf } from '../../base/errors.js';
import { MAX_IMAGES } from '../dataset.js';

/** A Parquet file that was opened. */
export interface ParquetFile {
  readonly path: string;
  readonly metadata: FileMetaData;
  /** The columns at the top, and what they are made of. */
  readonly columns: readonly SchemaTree[];
  readonly rows: number;
  /**
   * The rows of a row group.
   *
   * @param group - which
   * @param columns - of which columns at the top
   * @returns by name of the column; texts as such, other bytes as `Uint8Array`
   * @throws InputError when the group is damaged, too large, or coded in a way that is not read
   */
  read(group: RowGroup, columns: readonly string[]): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** In their order. */
  readonly groups: readonly RowGroup[];
}

/** Rows that are read at a time. */
export interface RowGroup {
  readonly index: number;
  readonly begin: number;
  readonly rows: number;
}

/** Beyond this a row group does not fit into memory with all that is made of it. */
const MAX_GROUP_BYTES = 2 * 2 ** 30;

/**
 * Opens a Parquet file and reads what it says of itself.
 *
 * @param path - of the file
 * @throws InputError when it cannot be read, is no whole Parquet file, or has too many rows
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { asyncBufferFromFile, parquetMetadataAsync, parquetSchema } = await import('hyparquet');
  const file = await asyncBufferFromFile(path).catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected: 'a Parquet file' });
  });
  const metadata = await parquetMetadataAsync(file, { geoparquet: false }).catch((error: unknown) => {
    throw damaged(path, 'the end of the file', error);
  });
  const rows = Number(metadata.num_rows);
  const groups: RowGroup[] = [];
  let begin = 0;
  for (const [index, group] of metadata.row_groups.entries()) {
    groups.push({ index, begin, rows: Number(group.num_rows) });
    begin += Number(group.num_rows);
  }
  if (!(rows >= 0 && rows <= MAX_IMAGES) || begin !== rows || groups.some((group) => !(group.rows >= 0)))
    throw new InputError({
      source: path,
      place: 'the end of the file',
      found: `${rows} rows, ${begin} of them in row groups`,
      expected: `at most ${MAX_IMAGES}, all in row groups`,
    });
  return {
    ...{ path, metadata, rows, groups },
    columns: columnsIn(path, () => parquetSchema(metadata)),
    read: (group, columns) => rowsOf(path, file, metadata, group, columns),
  };
}

function columnsIn(path: string, schema: () => SchemaTree): readonly SchemaTree[] {
  try {
    return schema().children;
  } catch (error) {
    throw damaged(path, 'the schema', error);
  }
}

async function rowsOf(
  path: string,
  file: AsyncBuffer,
  metadata: FileMetaData,
  { index, begin, rows }: RowGroup,
  columns: readonly string[],
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const place = `row group ${index}`;
  let bytes = 0;
  for (const { file_path: elsewhere, meta_data: column } of metadata.row_groups[index]?.columns ?? []) {
    if (column === undefined || !columns.includes(column.path_in_schema[0] ?? '')) continue;
    bytes += Number(column.total_uncompressed_size);
    if (elsewhere !== undefined)
      throw new InputError({
        source: path,
        place,
        found: `a column in ${elsewhere}`,
        expected: 'all in one file',
      });
  }
  if (!(bytes <= MAX_GROUP_BYTES))
    throw new InputError({
      source: path,
      place,
      found: `${bytes} bytes of ${columns.join(' and ')}`,
      expected: `at most ${MAX_GROUP_BYTES} in a row group`,
      hint: 'Write it anew with smaller row groups: pyarrow.parquet.write_table(…, row_group_size=1000).',
    });
  const { parquetReadObjects } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  const found = await parquetReadObjects({
    ...{ file, metadata, compressors, columns: [...columns], utf8: false, geoparquet: false },
    ...{ rowStart: begin, rowEnd: begin + rows },
  }).catch((error: unknown) => {
    throw damaged(path, place, error);
  });
  if (found.length !== rows)
    throw new InputError({ source: path, place, found: `${found.length} rows`, expected: `${rows}` });
  return found;
}

/** Whatever the library stumbles over stands in the file. */
function damaged(path: string, place: string, error: unknown): InputError {
  return new InputError({
    source: path,
    place,
    found: `data that cannot be read (${firstLine(messageOf(error))})`,
    expected: 'a whole Parquet file, compressed with Snappy, Zstandard, gzip, Brotli, LZ4 or not at all',
    hint: 'Where it was downloaded, fetch it again.',
  });
}
