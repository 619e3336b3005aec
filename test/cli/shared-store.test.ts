import { beforeEach, describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { storeExample } from '../analysis/support/example.js';
import { useFolder } from '../support/folder.js';
import { describePostgres, onDatabase, useDatabase } from '../support/postgres.js';
import { edgeflex } from './support.js';

const folder = useFolder();

/** What a command prints for programs. */
async function json(...words: readonly string[]): Promise<unknown> {
  const { code, out, err } = await edgeflex([...words, '--json'], {});
  expect([code, err], words.join(' ')).toEqual([exitCodes.fine, expect.any(String)]);
  return JSON.parse(out);
}

/** How a command is refused: its message. */
async function refused(words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
  const { code, err } = await edgeflex(words, env);
  expect([words.join(' '), code]).toEqual([words.join(' '), exitCodes.usage]);
  return err;
}

async function storeRuns(): Promise<void> {
  const db = await openStore(folder('results', 'edgeflex.db'));
  await storeHistory(
    db,
    5,
    0.01,
    runsOf(4, (index) => ({ milliseconds: 10 + index })),
  );
  await storeExample(db, { devices: ['laptop', 'board'] });
  await db.destroy();
}

describe('runs in a file of their own', () => {
  beforeEach(storeRuns);
  const results = (name: string): string[] => ['--results', folder(name)];

  it('go to another folder, and say the same there', async () => {
    const out = await json('runs', 'export', folder('runs.db'), runOf(0), runOf(1), ...results('results'));
    expect(out).toMatchObject({
      runs: [
        { id: runOf(0), isNew: true },
        { id: runOf(1), isNew: true },
      ],
    });
    const first = await json('runs', 'import', folder('runs.db'), ...results('other'));
    expect(first).toMatchObject({ runs: [{ isNew: true }, { isNew: true }], clockAheadSeconds: 0 });
    const again = await json('runs', 'import', folder('runs.db'), ...results('other'));
    expect(again).toMatchObject({
      runs: [
        { isNew: false, rounds: 0 },
        { isNew: false, rounds: 0 },
      ],
    });
    const words = ['compare', runOf(0), runOf(1)];
    expect(await json(...words, ...results('other'))).toEqual(await json(...words, ...results('results')));
    expect(await refused(['runs', 'export', folder('runs.db'), ...results('results')])).toContain('runs.db');
    expect(await refused(['runs', 'import', folder('none.db'), ...results('other')])).toContain(
      'no such file',
    );
    const unknown = await refused(['runs', 'export', folder('x.db'), 'nobody', ...results('results')]);
    expect(unknown).toContain('nobody');
  });
});

describePostgres('runs on a server', () => {
  const url = useDatabase();
  beforeEach(storeRuns);

  it('say what they say in a folder', async () => {
    const results = ['--results', folder('results')];
    const db = ['--db', url()];
    const pushed = await json('runs', 'push', ...results, ...db);
    expect(pushed).toMatchObject({
      runs: Array.from({ length: 5 }, () => ({ isNew: true, isAhead: false })),
    });
    for (const words of [
      ['runs'],
      ['history', 'tiny'],
      ['compare', runOf(0), runOf(3)],
      ['report', 'example'],
      ['procure', 'example', '--max-latency', '1s'],
      ['site', 'tiny', '-o', folder('site')],
      ['baseline', 'set', 'main', runOf(2)],
      ['runs', 'prune', '--keep', '1', '--dry-run'],
    ])
      expect(await json(...words, ...db), words.join(' ')).toEqual(await json(...words, ...results));
    // Where nothing is typed, the environment's database is meant; a folder that is typed comes before it.
    const { out } = await edgeflex(['baseline', 'list', '--json'], { EDGEFLEX_DB: url() });
    expect(JSON.parse(out)).toMatchObject([{ name: 'main', runId: runOf(2) }]);
    const none = await edgeflex(['runs', '--json', '--results', folder('none')], { EDGEFLEX_DB: url() });
    expect(none.err).toContain(folder('none'));
    const pulled = await json('runs', 'pull', runOf(0), '--results', folder('other'), ...db);
    expect(pulled).toMatchObject({ runs: [{ id: runOf(0), isNew: true, idThere: runOf(0) }] });
    expect(await json('runs', 'pull', ...results, ...db)).toMatchObject({
      runs: Array.from({ length: 5 }, () => ({ isNew: false, rounds: 0 })),
    });
  });

  it('cannot be had from an address that is wrong, and no message has its password', async () => {
    const { host, pathname, password } = new URL(url());
    const at = (user: string, database = pathname): string => `postgres://${user}@${host}${database}`;
    await onDatabase(url(), "create role reader login password 'p@ss'");
    const cases: readonly (readonly [address: string, ...facts: string[]])[] = [
      ['mysql://host/database', 'mysql://host/database', 'PostgreSQL'],
      ['postgres://user:p@ss/word@host/database', 'postgres://user@host/database', '%2F'],
      [at('postgres:wrong'), 'password', 'PGPASSWORD'],
      [at(`postgres:${password}`, '/nowhere'), 'nowhere', 'createdb'],
      [at(`postgres:${password}`, ''), 'names no database'],
      ['postgres://user:secret@127.0.0.1:1/database', 'nothing listens', '127.0.0.1'],
      ['postgres://user:secret@no-such-host.invalid/database', 'host name'],
      [url(), 'a database without results', 'runs push'],
    ];
    for (const [address, ...facts] of cases) {
      const message = await refused(['runs', '--db', address]);
      for (const fact of facts) expect(message).toContain(fact);
      for (const secret of [password, 'wrong@', 'secret', 'p@ss/word']) expect(message).not.toContain(secret);
    }
    const rights = await refused([
      'runs',
      'push',
      '--results',
      folder('results'),
      '--db',
      at('reader:p%40ss'),
    ]);
    expect(rights).toContain('permission denied');
    expect(rights).toContain('docs/shared-store.md');
    expect(await refused(['runs', '--db', url(), '--results', folder('results')])).toContain(
      'one place of results',
    );
    expect(await refused(['runs', 'push', '--results', folder('results')])).toContain('EDGEFLEX_DB');
  });
});
