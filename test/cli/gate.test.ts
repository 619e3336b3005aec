import { mkdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { openStore } from '../../src/store/open.js';
import { commitFiles, git, pruningSuite } from '../support/checkout.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { emptyStore } from '../support/stores.js';
import { edgeflexProcess } from './support.js';

const folder = useFolder();

const checkout = (): string => folder('work');

/** A commit of a suite on the built-in model, with so much of its MLPs pruned. */
async function commit(ratio: number): Promise<string> {
  return commitFiles(checkout(), `${ratio} pruned`, {
    ...pruningSuite('suite.yaml', 'guarded', 'small', ratio),
    '.gitignore': 'results/\nreports/\n',
  });
}

describePostgres('gate', () => {
  const url = useDatabase(emptyStore);

  it('measures both commits once more with --confirm, and delivers all runs with --db', async () => {
    await mkdir(folder('work'));
    git(checkout(), 'init', '--quiet', '--initial-branch', 'main');
    const base = await commit(0.5);
    git(checkout(), 'switch', '--quiet', '--create', 'larger');
    const head = await commit(0.25);
    const words = ['gate', 'suite.yaml', '--base', 'main', '--fail-on', 'file:1%', '--confirm'];
    const { code, out, err } = await edgeflexProcess(
      [...words, '--db', url()],
      { EDGEFLEX_CACHE: folder('cache') },
      folder('work'),
    );
    expect(code, err).toBe(1);
    expect(out).toMatch(/small.*larger/s);
    const commits = async (place: string): Promise<string[]> => {
      const db = await openStore(place);
      const rows = await db.selectFrom('runs').select('repository_json').execute();
      await db.destroy();
      return rows.map((row) => (JSON.parse(row.repository_json ?? '{}') as { commit: string }).commit).sort();
    };
    const measured = [base, base, head, head].sort();
    expect(await commits(folder('work', 'results', 'edgeflex.db')), err).toEqual(measured);
    expect(await commits(url()), err).toEqual(measured);
  }, 120_000);
});
