import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { removeFreeLocks, tryLock } from '../../src/cache/lock.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const path = (): string => folder('locks', 'one.lock');

/** A process that says `ready`, waits for a line, and then takes the lock as often as it is told to. */
async function contender(times: number): Promise<ChildProcess> {
  const script = folder('contender.mjs');
  const lock = pathToFileURL(join(packageRoot(), 'dist', 'cache', 'lock.js')).href;
  await writeFile(
    script,
    `import { appendFileSync } from 'node:fs';
     import { waitForLock } from ${JSON.stringify(lock)};
     const [path, log, times] = process.argv.slice(2);
     console.log('ready');
     await new Promise((resolve) => process.stdin.once('data', resolve));
     for (let time = 0; time < Number(times); time++) {
       const lock = await waitForLock(path, 'exclusive');
       appendFileSync(log, '+' + process.pid + '\\n');
       if (Number(times) === 1) { console.log('held'); setInterval(() => undefined, 1000); break; }
       await new Promise((resolve) => setTimeout(resolve, 5));
       appendFileSync(log, '-' + process.pid + '\\n');
       lock.release();
     }
     if (Number(times) > 1) process.exit(0);`,
  );
  const child = spawn(process.execPath, [script, path(), folder('log'), String(times)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return child;
}

it('a lock is free when its holder was killed, and of those who wait one at a time gets it', async () => {
  const killed = await contender(1);
  killed.stdin!.write('\n');
  await once(killed.stdout!, 'data');
  expect(tryLock(path(), 'exclusive')).toBeUndefined();
  expect(tryLock(path(), 'shared')).toBeUndefined();
  const others = [await contender(5), await contender(5), await contender(5)];
  for (const other of others) other.stdin!.write('\n');
  const ends = others.map((other) => once(other, 'exit'));
  killed.kill('SIGKILL');
  expect((await Promise.all(ends)).map(([code]) => code as number)).toEqual([0, 0, 0]);
  const lines = (await readFile(folder('log'), 'utf8')).trim().split('\n').slice(1);
  expect(lines).toHaveLength(30);
  for (let index = 0; index < lines.length; index += 2)
    expect(lines[index + 1]).toBe(lines[index]?.replace('+', '-'));
}, 60_000);

it('a lock is held by several who read, or by one', () => {
  const readers = [tryLock(path(), 'shared'), tryLock(path(), 'shared')];
  expect(readers.every((reader) => reader !== undefined)).toBe(true);
  expect(tryLock(path(), 'exclusive')).toBeUndefined();
  for (const reader of readers) reader?.release();
  const writer = tryLock(path(), 'exclusive');
  expect(writer).toBeDefined();
  expect(tryLock(path(), 'shared')).toBeUndefined();
  writer?.release();
});

it('files of locks that nobody holds are removed, others stay', async () => {
  const held = tryLock(path(), 'exclusive');
  for (const name of ['free', 'kept']) tryLock(folder('locks', `${name}.lock`), 'exclusive')?.release();
  removeFreeLocks(folder('locks'), new Set(['kept']));
  expect((await readdir(folder('locks'))).filter((name) => name.endsWith('.lock')).sort()).toEqual([
    'gate.lock',
    'kept.lock',
    'one.lock',
  ]);
  held?.release();
});
