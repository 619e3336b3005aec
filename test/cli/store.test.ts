import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { Database } from '../../src/base/sqlite.js';
import { beforeEach, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { insertRound } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { fullMeasurement, labels, placeOf, storeCell } from '../support/rows.js';
import { edgeflex, type Outcome } from './support.js';

const folder = useFolder();
const path = (): string => folder('results', 'edgeflex.db');

beforeEach(async () => {
  const db = await openStore(path());
  for (const id of ['one', 'two'])
    await insertRound(db, placeOf(await storeCell(db, id)), fullMeasurement(), labels, false);
  await db.destroy();
});

const store = (...args: string[]): Promise<Outcome> =>
  edgeflex(['store', ...args, '--results', folder('results')], {});

/** Writes something into a run that no version of EdgeFlex writes. */
function spoil(id: string): void {
  const database = new Database(path());
  database.prepare("update runs set data_json = '{' where id = ?").run(id);
  database.close();
}

async function runsIn(results: string): Promise<string[]> {
  const { out } = await edgeflex(['runs', '--json', '--results', results], {});
  return (JSON.parse(out) as { id: string }[]).map(({ id }) => id).sort();
}

it('store check finds nothing in a sound database, and names the table of what is wrong', async () => {
  expect((await store('check')).code).toBe(exitCodes.fine);
  spoil('one');
  const { code, out } = await store('check');
  expect(code).toBe(exitCodes.usage);
  expect(out).toMatch(/^runs /m);
  expect(out).toContain('edgeflex store recover');
});

it('store check holds predictions against the logits that are stored beside them', async () => {
  const db = await openStore(path());
  const place = { ...placeOf(await storeCell(db, 'three', 'accuracy')), round: 0 };
  await insertRound(
    db,
    place,
    fullMeasurement({ logits: [{ first: 0, classes: 2, values: Float32Array.of(1, 2, 4, 3) }] }),
    labels,
    true,
  );
  await db.destroy();
  expect((await store('check')).code).toBe(exitCodes.fine);
  const database = new Database(path());
  database.exec('update predictions set predicted = 1 - predicted where image = 1');
  database.close();
  const { code, out } = await store('check');
  expect(code).toBe(exitCodes.usage);
  expect(out).toMatch(/^predictions .*image 1\b/m);
});

it('store recover makes a database of what is sound, and leaves the old one alone', async () => {
  spoil('one');
  const before = readFileSync(path());
  const { code, out } = await store('recover', folder('new', 'edgeflex.db'));
  expect(code).toBe(exitCodes.fine);
  expect(out).toMatch(/^runs +1 +1/m);
  expect(await runsIn(folder('new'))).toEqual(['two']);
  expect(readFileSync(path())).toEqual(before);
});

it('store backup copies what others have committed, and replaces no file', async () => {
  const writer = new Database(path());
  writer.exec("begin immediate; update runs set suite = 'other'");
  expect((await store('backup', folder('copy.db'))).code).toBe(exitCodes.fine);
  writer.exec('rollback');
  writer.close();
  expect((await store('backup', folder('copy.db'))).code).toBe(exitCodes.usage);
  expect(existsSync(folder('copy.db.partial'))).toBe(false);
  const copy = new Database(folder('copy.db'), { readonly: true });
  expect(copy.prepare('select id, suite from runs order by id').all()).toEqual([
    { id: 'one', suite: 'tiny' },
    { id: 'two', suite: 'tiny' },
  ]);
  copy.close();
});

it('what is no database of ours is refused by each', async () => {
  copyFileSync(new URL(import.meta.url).pathname, path());
  for (const args of [['check'], ['recover', folder('new.db')], ['backup', folder('copy.db')]]) {
    const { code, err } = await store(...args);
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain(path());
  }
});
