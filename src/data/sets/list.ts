import { dirname, extname, join, resolve } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { z } from 'zod';
import { firstLine, InputError, messageOf } from '../../base/errors.js';
import type { Collected } from './collected.js';
import type { Declaration } from './declaration.js';
import { textOf } from './text.js';
import { withClasses, type MarkedFile } from './marks.js';

const rowsSchema = z.array(
  z.object({
    record: z.record(z.string(), z.string()),
    info: z.object({ lines: z.number() }),
  }),
);

/** A line of a list. */
interface Row {
  readonly path: string;
  readonly label: string;
  /** Counted from 1, the names of the columns included. */
  readonly line: number;
}

/**
 * Whether a file is a list of images, by its name.
 *
 * @param path - of a file
 */
export function isList(path: string): boolean {
  return ['.csv', '.tsv'].includes(extname(path).toLowerCase());
}

/**
 * The images of one list, or of the lists of training and test images in a folder: CSV, or TSV with tabs, whose columns `path` and
 * `label`, or those that are declared, say where an image lies, relative to the list, and of which class it is. Others are left alone. The classes are those declared; where none are, those
 * of the training images in the order of their names as texts.
 *
 * @param declaration - where the lists are
 * @throws InputError with file and line when a column or a file is missing, or a class is not among the classes
 */
export async function collectLists(declaration: Declaration): Promise<Collected> {
  const { path, train, test, source } = declaration;
  if (isList(path)) {
    if (train !== undefined || test !== undefined)
      throw new InputError({
        source,
        place: 'path',
        found: `the list ${path}, and train or test`,
        expected: 'one list with holdout; or as path the folder in which the lists train and test lie',
      });
    return withClasses(declaration, { kind: 'one', all: [await markedIn(path, declaration)] });
  }
  if (train === undefined || test === undefined || !isList(train) || !isList(test))
    throw new InputError({
      source,
      place: 'splits',
      found: `train: ${train ?? 'left out'}, test: ${test ?? 'left out'}`,
      expected: 'a list for each, as train: train.csv and test: test.csv',
    });
  return withClasses(declaration, {
    kind: 'declared',
    train: [await markedIn(join(path, train), declaration)],
    test: [await markedIn(join(path, test), declaration)],
  });
}

async function markedIn(list: string, { image = 'path', label = 'label' }: Declaration): Promise<MarkedFile> {
  const rows = await rowsOf(list, [image, label]);
  return {
    source: list,
    places: rows.map(({ path }) => ({ kind: 'file', path: resolve(dirname(list), path) })),
    marks: { kind: 'names', values: rows.map((row) => row.label) },
    at: (index) => `line ${rows[index]?.line ?? 0}`,
  };
}

async function rowsOf(list: string, [image, label]: readonly [string, string]): Promise<Row[]> {
  const text = await textOf(list, 'a list of images');
  let columns: readonly string[] = [];
  const rows = rowsSchema.parse(
    parsed(list, text, (names) => {
      columns = names;
    }),
  );
  const missing = [image, label].find((name) => !columns.includes(name));
  if (missing !== undefined)
    throw new InputError({
      source: list,
      place: 'line 1',
      found: `no column "${missing}" among ${columns.map((name) => `"${name}"`).join(', ') || 'none'}`,
      expected: `the columns ${image} and ${label}`,
    });
  if (rows.length === 0)
    throw new InputError({ source: list, found: 'no line of an image', expected: 'some' });
  return rows.map(({ record, info }) => {
    const [path = '', mark = ''] = [record[image], record[label]];
    const empty = path === '' ? image : mark === '' ? label : undefined;
    if (empty !== undefined)
      throw new InputError({
        source: list,
        place: `line ${info.lines}`,
        found: `an empty ${empty}`,
        expected: 'where an image lies and its class',
      });
    return { path, label: mark, line: info.lines };
  });
}

function parsed(list: string, text: string, named: (columns: readonly string[]) => void): unknown {
  try {
    return parse(text, {
      bom: true,
      columns: (names: string[]) => {
        named(names);
        return names;
      },
      delimiter: extname(list).toLowerCase() === '.tsv' ? '\t' : ',',
      info: true,
      record_delimiter: ['\r\n', '\n'],
      skip_empty_lines: true,
      trim: true,
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new InputError({ source: list, found: firstLine(messageOf(error)), expected: 'a whole table' });
  }
}
