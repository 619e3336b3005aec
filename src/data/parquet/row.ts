import { InputError } from '../../base/errors.js';
import { show } from '../../base/schema.js';
import type { Columns } from './columns.js';

/** What a row says of an image. */
export interface ImageRow {
  /** The image, coded like a file; or the path of its file. */
  readonly image: Uint8Array | string;
  /** Its class, by number or by name. */
  readonly mark: number | string;
}

/**
 * The image and the class of a row.
 *
 * @param path - of the file, for messages
 * @param index - of the row in the file, from 0
 * @param row - its values by column
 * @param columns - which of them are wanted
 * @throws InputError when one of the two is missing
 */
export function rowOf(
  path: string,
  index: number,
  row: Readonly<Record<string, unknown>>,
  columns: Pick<Columns, 'image' | 'label'>,
): ImageRow {
  const refuse = (column: string, value: unknown, expected: string): InputError =>
    new InputError({
      source: path,
      place: `row ${index}, column ${column}`,
      found: value === null || value === undefined ? 'null' : show(value),
      expected,
    });
  const image = imageIn(row[columns.image]);
  if (image === undefined)
    throw refuse(columns.image, wholeOf(row[columns.image]), 'an image: its bytes, or the path of its file');
  const value = row[columns.label];
  const mark = typeof value === 'bigint' ? Number(value) : value;
  if ((typeof mark !== 'number' && typeof mark !== 'string') || mark === '')
    throw refuse(columns.label, value, 'the class of the image');
  return { image, mark };
}

function imageIn(value: unknown): Uint8Array | string | undefined {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return value === '' ? undefined : value;
  if (value === null || typeof value !== 'object') return undefined;
  const bytes = 'bytes' in value ? value.bytes : undefined;
  const path = 'path' in value ? value.path : undefined;
  return bytes instanceof Uint8Array ? bytes : typeof path === 'string' && path !== '' ? path : undefined;
}

/** A struct of which every part is null is null itself. */
function wholeOf(value: unknown): unknown {
  const empty =
    value !== null &&
    typeof value === 'object' &&
    Object.values(value).every((part) => part === null || part === undefined);
  return empty ? null : value;
}
