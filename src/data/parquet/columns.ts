import type { SchemaTree } from 'hyparquet';
import { InputError } from '../../base/errors.js';
import { didYouMean } from '../../base/similar.js';
import type { NamedParts } from '../marks.js';
import { featuresOf, type Feature } from './features.js';
import type { ParquetFile } from './file.js';

/** Where a Parquet file has its images and classes. */
export interface Columns {
  readonly image: string;
  readonly label: string;
  /** Names of the classes in the order of the labels, where the file has them. */
  readonly names: readonly string[] | undefined;
}

/** What columns are called where nothing else says what they are; the first wins. */
const USUAL = { image: ['image', 'img', 'path'], label: ['label', 'labels'] } as const;

/** What `datasets` calls the kind of such a column. */
const TYPES = { image: 'Image', label: 'ClassLabel' } as const;

/**
 * The columns of images and classes: those that a user names; else the one that `datasets` says is of images, or of classes; else by
 * their usual names.
 *
 * @param file - the Parquet file
 * @param named - by a user
 * @throws InputError when there is none, or more than one, or it holds something else
 */
export function columnsOf(file: ParquetFile, named: NamedParts): Columns {
  const { path, metadata, columns } = file;
  const features = featuresOf(path, metadata);
  const image = columnOf(path, columns, features, 'image', named.image);
  const label = columnOf(path, columns, features, 'label', named.label);
  if (!isImage(image))
    throw new InputError({
      source: path,
      place: `column ${image.element.name}`,
      found: kindOf(image),
      expected: 'images: bytes, a path as text, or a struct of bytes and path',
    });
  if (!isText(label) && !isWholeNumber(label))
    throw new InputError({
      source: path,
      place: `column ${label.element.name}`,
      found: kindOf(label),
      expected: 'the class of each image: a whole number or a text',
    });
  const [imageName, labelName] = [image.element.name, label.element.name];
  const names = isWholeNumber(label) ? features.get(labelName)?.names : undefined;
  return { image: imageName, label: labelName, names };
}

function columnOf(
  path: string,
  columns: readonly SchemaTree[],
  features: ReadonlyMap<string, Feature>,
  which: keyof typeof USUAL,
  named: string | undefined,
): SchemaTree {
  const names = columns.map(({ element }) => element.name);
  const find = (name: string): SchemaTree | undefined => columns.find(({ element }) => element.name === name);
  const all = names.slice(0, 20).join(', ');
  if (named !== undefined) {
    const column = find(named);
    if (column !== undefined) return column;
    throw new InputError({
      source: path,
      place: `column ${named}`,
      found: `no such column${didYouMean(named, names)}`,
      expected: `one of ${all}`,
    });
  }
  const typed = columns.filter(({ element }) => features.get(element.name)?.type === TYPES[which]);
  const [one, another] = typed;
  if (one !== undefined && another === undefined) return one;
  const usual = USUAL[which].map(find).find((column) => column !== undefined);
  if (one === undefined && usual !== undefined) return usual;
  throw new InputError({
    source: path,
    place: 'columns',
    found:
      one === undefined
        ? `no column of ${which}s (${all})`
        : `several columns of ${which}s: ${typed.map(({ element }) => element.name).join(', ')}`,
    expected: one === undefined ? `one called ${USUAL[which].join(' or ')}` : 'one',
    hint: `Name the one that is meant: "${which}: ${typed[0]?.element.name ?? names[0] ?? '…'}" in a declaration, --${which} on the command line.`,
  });
}

function isText({ element, children }: SchemaTree): boolean {
  return (
    children.length === 0 &&
    element.type === 'BYTE_ARRAY' &&
    (element.converted_type === 'UTF8' || element.logical_type?.type === 'STRING')
  );
}

function isBytes({ element, children }: SchemaTree): boolean {
  const { type, converted_type: converted, logical_type: logical } = element;
  return children.length === 0 && type === 'BYTE_ARRAY' && converted === undefined && logical === undefined;
}

function isWholeNumber({ element, children }: SchemaTree): boolean {
  const { type, converted_type: converted, logical_type: logical } = element;
  const plain = converted === undefined || /^U?INT_/.test(converted);
  const number = logical === undefined || logical.type === 'INTEGER';
  return children.length === 0 && (type === 'INT32' || type === 'INT64') && plain && number;
}

function isImage(column: SchemaTree): boolean {
  if (column.element.repetition_type === 'REPEATED') return false;
  if (isText(column) || isBytes(column)) return true;
  const { children } = column;
  const part = (name: string): SchemaTree | undefined =>
    children.find(({ element }) => element.name === name);
  const [bytes, path] = [part('bytes'), part('path')];
  return (
    (bytes !== undefined || path !== undefined) &&
    (bytes === undefined || isBytes(bytes)) &&
    (path === undefined || isText(path))
  );
}

/** What a column holds, in Parquet's own terms. */
function kindOf({ element, children }: SchemaTree): string {
  const kind = element.logical_type?.type ?? element.converted_type ?? element.type;
  return children.length === 0
    ? `values of the type ${kind ?? 'unknown'}`
    : `${kind === undefined ? 'a struct' : kind} of ${children.map((child) => child.element.name).join(', ')}`;
}
