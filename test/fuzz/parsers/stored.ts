import fc from 'fast-check';
import { StoreError } from '../../../src/store/error.js';
import { content, contentFault } from '../../../src/store/content.js';
import { parseFailure } from '../../../src/protocol/failure.js';
import { damagedBytes } from '../generate/bytes.js';
import { damagedJson } from '../generate/json.js';
import { defineParser } from '../parser.js';

const seeds = [
  { name: 'shapes10', hash: 'a', testImages: 10, labels: ['a', 'b'] },
  { kind: 'not finite', value: 1 },
  [{ stage: 'prune', kept: 3 }],
  [1, 2, 3],
  { commit: 'a', dirty: true },
];

/** The columns that hold JSON, as `table.column`. */
const columns = Object.entries(content).flatMap(([table, known]) =>
  Object.keys(known)
    .filter((column) => column.endsWith('_json') || column === 'reason')
    .map((column) => ({ table: table as keyof typeof content, column })),
);

interface Cell {
  readonly place: (typeof columns)[number];
  readonly value: unknown;
}

/** What SQLite may give back for any column, whatever was stored. */
const value = fc.oneof(
  { weight: 6, arbitrary: damagedJson(...seeds).map((bytes): unknown => bytes.toString('utf8')) },
  { weight: 1, arbitrary: damagedBytes(Buffer.from('{"a":1}')).map((bytes): unknown => bytes) },
  { weight: 1, arbitrary: fc.oneof(fc.double(), fc.bigInt(), fc.constantFrom<unknown>(null, -1)) },
);

/** The JSON in the columns of the database. */
export const stored = defineParser({
  name: 'stored-json',
  documents: (error) => error instanceof StoreError,
  inputs: fc.record({ place: fc.constantFrom(...columns), value }),
  prepare: () =>
    Promise.resolve(({ place: { table, column }, value: found }: Cell) => {
      const fault = contentFault(table, { [column]: found });
      if (fault === undefined && column === 'reason' && typeof found === 'string') parseFailure(found);
    }),
});
