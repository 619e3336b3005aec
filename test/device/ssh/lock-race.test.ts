import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it } from 'vitest';
import { HOLD } from '../../../src/device/ssh/lock.js';
import { useFolder } from '../../support/folder.js';

const folder = useFolder();
const LEASE = 60;
const asking: ChildProcess[] = [];

afterEach(async () => {
  for (const child of asking.splice(0)) {
    const closed = child.exitCode === null ? once(child, 'close') : undefined;
    child.stdin?.end();
    await closed;
  }
});

/** A folder of the programs that a board has, with `date` taking its time where that is wanted. */
async function programs(name: string, names: readonly string[], slowDate: boolean): Promise<string> {
  const directory = folder(name);
  await mkdir(directory);
  for (const each of names) {
    const path = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', each], { encoding: 'utf8' }).stdout.trim();
    if (each !== 'date' || !slowDate) await symlink(path, join(directory, each));
    else await writeFile(join(directory, each), `#!/bin/sh\n${path} "$@"\nsleep 0.7\n`, { mode: 0o755 });
  }
  return directory;
}

/** A lock whose owner was last there two leases ago. */
async function staleLock(): Promise<string> {
  const lock = folder('board.lock');
  await mkdir(lock);
  await writeFile(join(lock, 'owner'), 'gone\nwho is gone\n');
  await writeFile(join(lock, 'alive'), '\n');
  const then = Date.now() / 1000 - 2 * LEASE;
  for (const path of [join(lock, 'alive'), lock]) await utimes(path, then, then);
  return lock;
}

/** Asks for a lock as a board's shell does, and keeps what it gets until the test ends; gives the answer. */
function ask(lock: string, harness: string, path: string): Promise<string> {
  const args = ['-c', HOLD, 'sh', lock, harness, `who is ${harness}`, `hold-${harness}`, String(LEASE)];
  const child = spawn('/bin/sh', args, { env: { PATH: path }, stdio: ['pipe', 'pipe', 'inherit'] });
  asking.push(child);
  return new Promise((resolve) => {
    createInterface(child.stdout).once('line', resolve);
    child.once('close', (code) => {
      resolve(`ended with ${code}`);
    });
  });
}

const basic = ['mkdir', 'mv', 'rm', 'stat', 'touch', 'sleep', 'date'];

describe.each([
  { board: 'with flock', names: [...basic, 'flock'] },
  { board: 'without flock', names: basic },
])('a lock that is nobody’s any more, on a board $board', ({ names }) => {
  it('is taken over by one, though another was just about to', async () => {
    const lock = await staleLock();
    const slow = ask(lock, 'slow', await programs('slow', names, true));
    // The slow one has seen that the lock is stale, and has not yet done anything about it.
    await sleep(300);
    const quick = ask(lock, 'quick', await programs('quick', names, false));
    const answers = await Promise.all([slow, quick]);
    expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
    expect(answers.filter((answer) => answer.startsWith('taken who is '))).toHaveLength(1);
  });

  it('is taken over by one of many', async () => {
    const lock = await staleLock();
    const path = await programs('programs', names, false);
    const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((harness) => ask(lock, harness, path)));
    expect(answers.filter((answer) => answer === 'held')).toHaveLength(1);
  });
});
