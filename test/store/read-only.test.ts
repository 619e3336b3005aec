import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Database } from '../../src/base/sqlite.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { openStore } from '../../src/store/open.js';
import { insertRun } from '../../src/store/write.js';
import { SmallDisk } from '../faults/support/small-disk.js';
import { useFolder } from '../support/folder.js';
import { mountPart } from '../support/parts.js';
import { newRun } from '../support/rows.js';

const folder = useFolder();

/** Runs the command with results that lie on a file system that can only be read. */
async function onReadOnly(
  ...words: readonly string[]
): Promise<{ code: number | null; out: string; err: string }> {
  const disk = await SmallDisk.make('--bind', '-o', 'ro', folder('results'));
  onTestFinished(() => disk.close());
  const [by = '', ...before] = disk.by;
  const command = [process.execPath, join(packageRoot(), 'bin', 'edgeflex.js'), ...words];
  const { status, stdout, stderr } = spawnSync(by, [...before, ...command, '--results', disk.inside], {
    encoding: 'utf8',
    cwd: packageRoot(),
  });
  return { code: status, out: stdout, err: stderr };
}

/** Stores a run; what was stored last lies in the log alone, as beside a process that was killed, or in the database alone. */
async function store(log: 'with its log' | 'alone'): Promise<void> {
  const db = await openStore(folder('made', 'edgeflex.db'));
  await insertRun(db, newRun('one'));
  await mkdir(folder('results'));
  if (log === 'alone') await db.destroy();
  const suffixes = log === 'alone' ? [''] : ['', '-wal'];
  for (const suffix of suffixes)
    await copyFile(folder('made', `edgeflex.db${suffix}`), folder('results', `edgeflex.db${suffix}`));
  if (log !== 'alone') await db.destroy();
}

describe.skipIf(mountPart.missing !== undefined)('results on a file system that can only be read', () => {
  it.each(['alone', 'with its log'] as const)('are read, the database %s', async (log) => {
    await store(log);
    const before = await readdir(folder('results'));
    const { code, out } = await onReadOnly('runs', '--json');
    expect(code).toBe(exitCodes.fine);
    expect(JSON.parse(out)).toMatchObject([{ id: 'one' }]);
    expect(await readdir(folder('results'))).toEqual(before);
  });

  it('are read when an older version wrote them', async () => {
    await mkdir(folder('results'));
    const old = new Database(folder('results', 'edgeflex.db'));
    old.pragma('journal_mode = wal');
    old.exec(readFileSync(join(packageRoot(), 'test', 'store', 'schemas', '0001-first.sql'), 'utf8'));
    old.close();
    const before = readFileSync(folder('results', 'edgeflex.db'));
    const { code, out } = await onReadOnly('runs', '--json');
    expect(code).toBe(exitCodes.fine);
    expect(JSON.parse(out)).toHaveLength(1);
    expect(readFileSync(folder('results', 'edgeflex.db'))).toEqual(before);
  });

  it('are not written, which is said with what to do', async () => {
    await store('alone');
    const { code, err } = await onReadOnly('runs', 'prune', '--keep', '0');
    expect(code).toBe(exitCodes.usage);
    expect(err).toContain('--results');
  });
});
