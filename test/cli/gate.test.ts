import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { openStore } from '../../src/store/open.js';
import { useFolder } from '../support/folder.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';
import { describePostgres, useDatabase } from '../support/postgres.js';
import { emptyStore } from '../support/stores.js';
import { edgeflexProcess } from './support.js';

const folder = useFolder();

function git(...args: string[]): string {
  return execFileSync('git', ['-C', folder('work'), ...args], {
    encoding: 'utf8',
    env: {
      ...{ ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
      ...{ GIT_AUTHOR_NAME: 'A Tester', GIT_AUTHOR_EMAIL: 'tester@example.org' },
      ...{ GIT_COMMITTER_NAME: 'A Tester', GIT_COMMITTER_EMAIL: 'tester@example.org' },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trim();
}

/** A commit of a suite on the built-in model, with so much of its MLPs pruned. */
async function commit(ratio: number): Promise<string> {
  const suite = {
    ...{ name: 'guarded', data: { name: 'shapes10', path: shapesDirectory } },
    ...{ models: [{ path: microDirectory }], recipes: ['./small.yaml'] },
    ...{ devices: [join(packageRoot(), 'devices', 'local-cpu.yaml')], accuracy: { images: 16, batch: 16 } },
    performance: { batches: [1], tier: 'smoke', rounds: 2 },
  };
  await mkdir(folder('work'), { recursive: true });
  const recipe = { name: 'small', stages: [{ prune: { ratio, images: 16 } }] };
  await writeFile(folder('work', 'suite.yaml'), JSON.stringify(suite));
  await writeFile(folder('work', 'small.yaml'), JSON.stringify(recipe));
  await writeFile(folder('work', '.gitignore'), 'results/\nreports/\n');
  git('add', '--all');
  git('commit', '--quiet', '--message', `${ratio} pruned`);
  return git('rev-parse', 'HEAD');
}

describePostgres('gate', () => {
  const url = useDatabase(emptyStore);

  it('measures both commits once more with --confirm, and delivers all runs with --db', async () => {
    await mkdir(folder('work'));
    git('init', '--quiet', '--initial-branch', 'main');
    const base = await commit(0.5);
    git('switch', '--quiet', '--create', 'larger');
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
