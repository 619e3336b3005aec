import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import {
  listBaselines,
  referenceRun,
  referenceRuns,
  removeBaseline,
  setBaseline,
} from '../../src/store/baselines.js';
import { openStore, type Db } from '../../src/store/open.js';
import { listRuns } from '../../src/store/read.js';
import { insertRun } from '../../src/store/write.js';
import { refusalOf } from '../support/refusal.js';
import { newRun } from '../support/rows.js';
import { describeEachStore } from '../support/stores.js';

const NOW = '2026-11-22T12:00:00.000Z';

describeEachStore((place) => {
  let db: Db;

  beforeEach(async () => {
    db = await openStore(place());
    onTestFinished(() => db.destroy());
    for (const [id, suite] of [
      ['20261120-a', 'tiny'],
      ['20261121-b', 'tiny'],
      ['20261121-c', 'large'],
    ] as const)
      await insertRun(db, newRun(id, { suite }));
  });

  const tiny = { id: '20261120-a', suite: 'tiny' };
  const later = { id: '20261121-b', suite: 'tiny' };
  const large = { id: '20261121-c', suite: 'large' };

  describe('a baseline', () => {
    it('names a run of a suite, and moves to another run of it', async () => {
      expect(await setBaseline(db, 'main', tiny, NOW)).toBeUndefined();
      expect(await setBaseline(db, 'main', large, NOW)).toBeUndefined();
      expect(await setBaseline(db, 'main', later, NOW)).toBe(tiny.id);
      expect(await listBaselines(db)).toEqual([
        { suite: 'large', name: 'main', run_id: large.id, set_at: NOW },
        { suite: 'tiny', name: 'main', run_id: later.id, set_at: NOW },
      ]);
    });

    it('is seen in the list of runs', async () => {
      for (const name of ['v2', 'main']) await setBaseline(db, name, tiny, NOW);
      const names = (await listRuns(db)).map(({ id, baselines }) => [id, baselines]);
      expect(Object.fromEntries(names)).toEqual({
        [tiny.id]: ['main', 'v2'],
        [later.id]: [],
        [large.id]: [],
      });
    });

    it('keeps its run from being deleted', async () => {
      await setBaseline(db, 'main', tiny, NOW);
      const remove = (): Promise<unknown> => db.deleteFrom('runs').where('id', '=', tiny.id).execute();
      await expect(remove()).rejects.toThrow(/FOREIGN KEY/i);
      await removeBaseline(db, 'main', undefined);
      await remove();
      expect((await listRuns(db)).map(({ id }) => id)).not.toContain(tiny.id);
    });

    it.each(['', '-x', 'a b', '--force', 'naïve'])('is refused a name such as "%s"', async (name) => {
      expect((await refusalOf(() => setBaseline(db, name, tiny, NOW))).found).toContain(JSON.stringify(name));
    });

    it('is removed where it is meant, and only there', async () => {
      await setBaseline(db, 'main', tiny, NOW);
      await setBaseline(db, 'main', large, NOW);
      const fault = await refusalOf(() => removeBaseline(db, 'main', undefined));
      expect(fault.expected).toContain('large, tiny');
      expect(fault.hint).toContain('--suite');
      expect((await removeBaseline(db, 'main', 'large')).run_id).toBe(large.id);
      expect((await listBaselines(db)).map(({ suite }) => suite)).toEqual(['tiny']);
      expect((await refusalOf(() => removeBaseline(db, 'main', 'large'))).found).toBe('no main of large');
    });
  });

  describe('a word for a run', () => {
    it("is a baseline's name", async () => {
      await setBaseline(db, 'main', tiny, NOW);
      expect((await referenceRun(db, 'main')).id).toBe(tiny.id);
      expect((await referenceRun(db, 'main', 'tiny')).id).toBe(tiny.id);
    });

    it('is an id, or the beginning of one', async () => {
      expect((await referenceRun(db, '20261120')).id).toBe(tiny.id);
      expect((await referenceRun(db, later.id)).id).toBe(later.id);
      await insertRun(db, newRun('20261121-bc'));
      expect((await referenceRun(db, later.id)).id).toBe(later.id);
    });

    it('means only runs and baselines of the suite where that is known', async () => {
      await setBaseline(db, 'main', tiny, NOW);
      await setBaseline(db, 'main', large, NOW);
      expect((await referenceRun(db, 'main', 'large')).id).toBe(large.id);
      expect((await referenceRun(db, '20261121', 'large')).id).toBe(large.id);
      expect((await refusalOf(() => referenceRun(db, 'main'))).expected).toContain('large, tiny');
      expect((await refusalOf(() => referenceRun(db, '20261120', 'large'))).expected).toContain('of large');
    });

    it('is refused when it means several runs, with each of them', async () => {
      const runs = await refusalOf(() => referenceRun(db, '2026112'));
      for (const { id } of [tiny, later, large]) expect(runs.expected).toContain(id);
      await setBaseline(db, '20261121', tiny, NOW);
      const both = await refusalOf(() => referenceRun(db, '20261121', 'tiny'));
      expect(both.found).toContain(`a baseline of tiny (run ${tiny.id})`);
      expect(both.found).toContain(later.id);
    });

    it('may be a name that its own run begins with', async () => {
      await setBaseline(db, '20261120', tiny, NOW);
      expect((await referenceRun(db, '20261120')).id).toBe(tiny.id);
    });

    it('means the same among several', async () => {
      await setBaseline(db, 'main', tiny, NOW);
      // The whole id of one run, and the name of another.
      await setBaseline(db, later.id, later, NOW);
      const words = [large.id, 'main', '20261120', later.id];
      const alone = await Promise.all(words.map(async (word) => (await referenceRun(db, word)).id));
      expect((await referenceRuns(db, words)).map(({ id }) => id)).toEqual(alone);
      expect((await refusalOf(() => referenceRuns(db, [tiny.id, large.id], 'tiny'))).found).toContain(
        'a run of large',
      );
      await setBaseline(db, large.id, tiny, NOW);
      for (const of of [referenceRuns, (each: Db, all: string[]) => referenceRun(each, all[0]!)])
        expect((await refusalOf(() => of(db, [large.id]))).hint).toContain('full id');
    });

    it('is refused when it means nothing', async () => {
      expect(await refusalOf(() => referenceRun(db, 'mian'))).toMatchObject({
        found: 'mian',
        expected: 'a baseline or a stored run',
      });
    });
  });
});
