import type { Database } from '../../src/base/sqlite.js';
import { expect, it } from 'vitest';
import { notesOf } from '../../src/text/notes.js';
import { storedExample } from '../analysis/support/stored.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

const set = (path: string, value: string) => (database: Database) => {
  database.exec(`update rounds set session_json = json_set(session_json, '$.${path}', json('${value}'))`);
};
const vnni = (database: Database): void => {
  database.exec(
    `update devices set environment_json = json_set(environment_json, '$.cpu.features', json('["avx512_vnni"]'))`,
  );
};
const arm = (database: Database): void => {
  database.exec(`update devices set environment_json = json_set(environment_json, '$.os.arch', 'arm64')`);
};
const bounded = (database: Database): void => {
  const facts = { headline: [], tables: [], pictures: [], traits: ['exact-without-vnni'] };
  const stages = [{ stage: 'quantize', options: { format: 'w8a8' }, report: {}, facts }];
  database.prepare('update variants set stages_json = ?').run(JSON.stringify(stages));
};
const floats = (database: Database): void => {
  database.exec(`update variants set stages_json = '[]'`);
};

it.each([
  ['is exact where that was asked for', [set('x64QuantPrecision', 'true')], /^laptop: .*x64quantprecision/],
  ['saturates without VNNI where it was not', [], /^laptop: .*SATURATE/],
  ['saturates without VNNI where it was refused', [set('x64QuantPrecision', 'false')], /^laptop: .*SATURATE/],
  ['needs no word with VNNI', [vnni], undefined],
  ['needs no word on another architecture', [arm], undefined],
  ['needs no word where pairs of weights are bounded', [bounded], undefined],
  ['needs no word where nothing is INT8', [floats, set('x64QuantPrecision', 'true')], undefined],
] as const)('how a device multiplies INT8 %s', async (_, changes, note) => {
  const { analysis } = await storedExample(folder('run.sqlite'), {}, (database) => {
    database.exec(
      `update variants set stages_json = replace(stages_json, '"note":"free"', '"format":"w8a8"')`,
    );
    for (const change of changes) change(database);
  });
  const found = notesOf(analysis).filter(
    (each) => each.includes('INT8 products') || each.includes('INT8 PRODUCTS'),
  );
  expect(found).toHaveLength(note === undefined ? 0 : 1);
  if (note !== undefined) expect(found[0]).toMatch(note);
});

const features =
  (...names: string[]) =>
  (database: Database): void => {
    database
      .prepare(`update devices set environment_json = json_set(environment_json, '$.cpu.features', json(?))`)
      .run(JSON.stringify(names));
  };
const weights =
  (format: string) =>
  (database: Database): void => {
    const stages = [{ stage: 'quantize', options: { format }, report: {}, facts: null }];
    database.prepare('update variants set stages_json = ?').run(JSON.stringify(stages));
  };

it.each([
  [
    'are widened without dot products',
    [arm, features('asimd'), weights('w4')],
    /^laptop: .*float32.*asimddp/,
  ],
  ['are multiplied as integers with them', [arm, features('asimd', 'asimddp'), weights('w4')], undefined],
  ['are multiplied as integers on x86', [features('avx2'), weights('w8')], undefined],
  ['are not there', [arm, features('asimd'), weights('w8a8')], undefined],
] as const)('weights in 8 and 4 bits %s', async (_, changes, note) => {
  const { analysis } = await storedExample(folder('run.sqlite'), {}, (database) => {
    for (const change of changes) change(database);
  });
  const found = notesOf(analysis).filter((each) => each.includes('weights in 8 and 4 bits'));
  expect(found).toEqual(note === undefined ? [] : [expect.stringMatching(note)]);
});
