import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Database } from '../../src/base/sqlite.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { migrations } from '../../src/store/migrations.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const path = (): string => folder('results.sqlite');

/** Processes that all open the database at one moment, read it and close it; gives what each ended with and said. */
async function openAtOnce(
  processes: number,
  how: 'openStore' | 'openForReading',
): Promise<{ readonly code: number | null; readonly said: string }[]> {
  const built = (name: string): string => pathToFileURL(join(packageRoot(), 'dist', 'store', name)).href;
  await writeFile(
    folder('open.mjs'),
    `import { openStore, openForReading } from ${JSON.stringify(built('open.js'))};
     import { listRuns } from ${JSON.stringify(built('read.js'))};
     const [, , path, how] = process.argv;
     console.log('ready');
     await new Promise((resolve) => process.stdin.once('data', resolve));
     const db = await { openStore, openForReading }[how](path);
     console.log((await listRuns(db)).length);
     await db.destroy();
     process.exit(0);`,
  );
  const children = Array.from({ length: processes }, () => {
    const child = spawn(process.execPath, [folder('open.mjs'), path(), how], { stdio: 'pipe' });
    onTestFinished(() => void child.kill('SIGKILL'));
    let said = '';
    const ready = once(child.stdout, 'data').then(() => {
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
    });
    const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, said: said.trim() }));
    return { child, ready, ended };
  });
  await Promise.all(children.map(({ ready }) => ready));
  for (const { child } of children) child.stdin.write('\n');
  return Promise.all(children.map(({ ended }) => ended));
}

/** Which changes of the schema a database has seen, and whether it is whole. */
function state(): { readonly seen: unknown[]; readonly whole: unknown } {
  const database = new Database(path(), { readonly: true });
  try {
    const seen = database.prepare('select name from kysely_migration order by name').pluck().all();
    return { seen, whole: database.pragma('integrity_check', { simple: true }) };
  } finally {
    database.close();
  }
}

describe('processes that open a database at one moment', () => {
  it('all succeed where there is none yet', async () => {
    const ends = await openAtOnce(6, 'openStore');
    expect(ends).toEqual(ends.map(() => ({ code: 0, said: '0' })));
    expect(state()).toEqual({ seen: Object.keys(migrations).sort(), whole: 'ok' });
  }, 60_000);

  it.each(['openStore', 'openForReading'] as const)(
    'all succeed with an old one: %s',
    async (how) => {
      const old = new Database(path());
      old.pragma('journal_mode = wal');
      old.exec(readFileSync(join(packageRoot(), 'test', 'store', 'schemas', '0001-first.sql'), 'utf8'));
      old.close();
      const ends = await openAtOnce(6, how);
      expect(ends).toEqual(ends.map(() => ({ code: 0, said: '1' })));
      expect(state()).toEqual({ seen: Object.keys(migrations).sort(), whole: 'ok' });
    },
    60_000,
  );
});
