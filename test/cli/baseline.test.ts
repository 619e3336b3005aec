import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { endCell, endRun } from '../../src/store/write.js';
import { useFolder } from '../support/folder.js';
import { storeCell } from '../support/rows.js';
import { edgeflex, type Outcome } from './support.js';

const folder = useFolder();

/** Four runs of a suite; the newest has not ended. */
const ids = ['20261001-a', '20261002-b', '20261003-c', '20261004-d'] as const;

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  for (const [day, id] of ids.entries()) {
    const cell = await storeCell(db, id);
    const at = `2026-10-0${day + 1}T10:00:00.000Z`;
    await db.updateTable('runs').set({ started_at: at }).where('id', '=', id).execute();
    if (id === ids[3]) continue;
    await endCell(db, cell.id, 'done', null);
    await endRun(db, id, at);
  }
  await db.destroy();
});

const command = (...args: string[]): Promise<Outcome> =>
  edgeflex([...args, '--results', folder('results')], { EDGEFLEX_CACHE: folder('cache') });

async function json<T>(...args: string[]): Promise<T> {
  return JSON.parse((await command(...args, '--json')).out) as T;
}

describe('edgeflex baseline', () => {
  it('sets, lists, moves and takes away names', async () => {
    expect((await command('baseline', 'list')).out).toContain('edgeflex baseline set');
    expect((await command('baseline', 'set', 'main', '20261002')).out).toContain(`run ${ids[1]}`);
    const moved = await command('baseline', 'set', 'main', ids[0], '--suite', 'tiny');
    expect(moved.out).toContain(ids[1]);
    expect((await command('baseline', 'set', 'release/1', 'main')).out).toContain(`run ${ids[0]}`);
    expect(await json('baseline', 'list')).toMatchObject([
      { suite: 'tiny', name: 'main', runId: ids[0], startedAt: '2026-10-01T10:00:00.000Z' },
      { suite: 'tiny', name: 'release/1', runId: ids[0] },
    ]);
    expect((await command('runs')).out).toMatch(/20261001-a .*main, release\/1/);
    expect((await command('baseline', 'rm', 'main')).out).toContain(`run ${ids[0]}`);
    expect((await command('baseline', 'list')).out).not.toContain('main');
  });

  it('takes a run that has not ended only when it is forced to', async () => {
    const refused = await command('baseline', 'set', 'main', ids[3]);
    expect(refused.code).toBe(exitCodes.usage);
    expect(refused.err).toContain(`${ids[3]}, which has not finished: 1 of 1 cells`);
    expect(refused.err).toContain('--force');
    expect((await command('baseline', 'set', 'main', ids[3], '--force')).out).toContain(ids[3]);
  });

  it('means by the newest run the newest that has ended, and says which one it passed over', async () => {
    const { out, err } = await command('baseline', 'set', 'main');
    expect(out).toContain(ids[2]);
    expect(err).toContain(ids[3]);
  });

  it('makes no database where there is none', async () => {
    const { code, err } = await edgeflex(['baseline', 'set', 'main', '--results', folder('none')], {});
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain('There are no results here yet');
  });
});

describe('edgeflex runs prune', () => {
  it('deletes old runs but for baselines, from the database it was given', async () => {
    await command('baseline', 'set', 'main', ids[0]);
    const before = await json('runs');
    const dry = await command('runs', 'prune', '--keep', '1', '--dry-run');
    expect(dry.out).toMatch(/20261001-a .*kept: baseline main/);
    expect(dry.out).toMatch(/20261002-b .*would be deleted/);
    expect(dry.out).toMatch(/20261003-c .*kept: /);
    expect(dry.out).toContain('2 runs would be deleted.');
    expect(await json('runs')).toEqual(before);
    const { code, out } = await command('runs', 'prune', '--keep', '1', '--older-than', '2w');
    expect(code).toBe(exitCodes.fine);
    expect(out).toContain('2 runs deleted');
    expect((await json<{ id: string }[]>('runs')).map(({ id }) => id)).toEqual([ids[2], ids[0]]);
    expect((await command('runs', 'prune', '--keep', '1')).out).toContain('Nothing to delete.');
  });

  it.each([
    [['--keep', 'some'], 'a whole number'],
    [['--keep', '1', '--older-than', '3 months'], 'hours, days or weeks'],
    [[], '--keep'],
  ])('refuses %j', async (flags, text) => {
    const { code, err } = await command('runs', 'prune', ...flags);
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain(text);
    expect(await json('runs')).toHaveLength(4);
  });
});
