import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { useFolder } from '../support/folder.js';
import { microDirectory } from '../support/micro.js';
import { edgeflex, edgeflexProcess, type Outcome } from './support.js';

const folder = useFolder();

/** An entry as `cache list --json` shows it. */
interface Listed {
  readonly kind: string;
  readonly title: string | null;
  readonly complete: boolean;
  readonly bytes: number;
  readonly directory: string;
  readonly from: unknown;
}

/** The real command; it uses no entry itself, and so may be called in this process. */
const command = (words: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
  edgeflex(['cache', ...words], { EDGEFLEX_CACHE: folder('cache'), ...env });

async function json<T>(...words: string[]): Promise<T> {
  return JSON.parse((await command([...words, '--json'])).out) as T;
}

const titles = async (): Promise<(string | null)[]> =>
  (await json<Listed[]>('list')).map(({ title }) => title).sort();

/**
 * Makes an entry of 10,000 bytes in a process of its own.
 *
 * @param kind - of the entry
 * @param title - of the entry
 * @param end - how the process ends: by itself, killed while it writes, or not before it is told to, with the entry in use
 */
async function make(
  kind: string,
  title: string,
  end: 'by itself' | 'killed' | 'later',
): Promise<ChildProcess> {
  const built = (name: string): string => pathToFileURL(join(packageRoot(), 'dist', 'cache', name)).href;
  await writeFile(
    folder('make.mjs'),
    `import { writeFileSync } from 'node:fs';
     import { cacheKey } from ${JSON.stringify(built('key.js'))};
     import { cache } from ${JSON.stringify(built('store.js'))};
     const [, , kind, title, end] = process.argv;
     await cache().make(cacheKey(kind, { title }), { title }, (into) => {
       writeFileSync(into + '/file', Buffer.alloc(10000, title));
       if (end === 'killed') process.kill(process.pid, 'SIGKILL');
       return Promise.resolve(null);
     });
     console.log('made');
     if (end === 'later') await new Promise((resolve) => setInterval(resolve, 2 ** 30));`,
  );
  const child = spawn(process.execPath, [folder('make.mjs'), kind, title, end], {
    env: { ...process.env, EDGEFLEX_CACHE: folder('cache'), EDGEFLEX_CACHE_LIMIT: '' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child, end === 'later' ? 'spawn' : 'exit');
  if (end === 'later') await once(child.stdout, 'data');
  return child;
}

/** Lets an entry look as if it had last been used so many days ago. */
async function usedBefore(title: string, days: number): Promise<void> {
  const { directory } = (await json<Listed[]>('list')).find((each) => each.title === title)!;
  const then = new Date(Date.now() - days * 86_400_000);
  await utimes(join(directory, 'manifest.json'), then, then);
}

describe('edgeflex cache', () => {
  it('says of a cache that is not there that it is empty, and makes none', async () => {
    expect(await json('list')).toEqual([]);
    expect(await json('size')).toMatchObject({ bytes: 0, directory: folder('cache') });
    expect(await json('verify')).toEqual({ schemaVersion: 1, entries: 0, damaged: [] });
    for (const words of ['prune', 'clear']) expect(await json(words)).toMatchObject({ freedBytes: 0 });
    expect(existsSync(folder('cache'))).toBe(false);
  });

  it('lists what is kept, the last used first, with what it was made from, and sums it up by kind', async () => {
    await make('artifact', 'old', 'by itself');
    await make('model', 'new', 'by itself');
    await usedBefore('old', 2);
    const listed = await json<Listed[]>('list');
    expect(listed).toMatchObject([
      { kind: 'model', title: 'new', complete: true, from: { title: 'new' } },
      { kind: 'artifact', title: 'old', complete: true, from: { title: 'old' } },
    ]);
    const { out } = await command(['list']);
    expect(out.indexOf('new')).toBeLessThan(out.indexOf('old'));
    expect(out).toContain('2 entries');
    const bytes = listed.map((each) => each.bytes);
    expect(Math.min(...bytes)).toBeGreaterThan(10_000);
    expect(await json('size')).toMatchObject({
      bytes: bytes[0]! + bytes[1]!,
      limitBytes: 20 * 2 ** 30,
      kinds: { model: bytes[0], artifact: bytes[1] },
    });
    expect((await command(['size'], { EDGEFLEX_CACHE_LIMIT: '8GiB' })).out).toMatch(/\b8(\.0+)? GiB/);
    const wrong = await command(['size'], { EDGEFLEX_CACHE_LIMIT: 'much' });
    expect([wrong.code, wrong.err]).toEqual([
      exitCodes.usage,
      expect.stringMatching(/EDGEFLEX_CACHE_LIMIT.*much/),
    ]);
  });

  it('names what older versions left, counts it apart and leaves it alone', async () => {
    await make('artifact', 'one', 'by itself');
    const { bytes } = await json<{ bytes: number }>('size');
    await mkdir(folder('cache', 'artifacts', '0'.repeat(32)), { recursive: true });
    await writeFile(folder('cache', 'artifacts', '0'.repeat(32), 'model.onnx'), Buffer.alloc(5000));
    expect(await json('size')).toMatchObject({
      bytes,
      older: [{ path: folder('cache', 'artifacts'), bytes: 5000 }],
    });
    expect((await command(['size'])).out).toContain(folder('cache', 'artifacts'));
    await command(['clear']);
    expect(existsSync(folder('cache', 'artifacts'))).toBe(true);
  });

  it('removes what a killed process left, and its locks', async () => {
    await make('artifact', 'whole', 'by itself');
    const killed = await make('artifact', 'half', 'killed');
    expect(killed.signalCode).toBe('SIGKILL');
    const before = await json<Listed[]>('list');
    expect(before.map(({ complete }) => complete).sort()).toEqual([false, true]);
    const { freedBytes } = await json<{ freedBytes: number }>('prune');
    expect(freedBytes).toBeGreaterThanOrEqual(10_000);
    expect(await titles()).toEqual(['whole']);
    expect(await readdir(folder('cache', 'entries', 'artifact'))).toHaveLength(1);
    expect(
      (await readdir(folder('cache', 'locks'))).filter((name) => name.startsWith('artifact-')),
    ).toHaveLength(1);
  });

  it('removes what was used longest ago, and what was downloaded last of all', async () => {
    for (const [title, kind] of [
      ['download', 'model'],
      ['oldest', 'artifact'],
      ['older', 'head'],
      ['young', 'artifact'],
    ] as const)
      await make(kind, title, 'by itself');
    await usedBefore('download', 30);
    await usedBefore('oldest', 20);
    await usedBefore('older', 10);
    await command(['prune', '--limit', '35kB']);
    expect(await titles()).toEqual(['download', 'older', 'young']);
    await command(['prune'], { EDGEFLEX_CACHE_LIMIT: '25kB' });
    expect(await titles()).toEqual(['download', 'young']);
    await command(['prune', '--limit', '12kB']);
    expect(await titles()).toEqual(['download']);
    expect((await command(['prune', '--limit', 'less'])).code).toBe(exitCodes.usage);
  });

  it('leaves what a running process uses, and clears the rest', async () => {
    await make('artifact', 'unused', 'by itself');
    const user = await make('artifact', 'used', 'later');
    await command(['clear']);
    expect(await titles()).toEqual(['used']);
    user.kill('SIGKILL');
    await once(user, 'exit');
    await command(['clear']);
    expect(await titles()).toEqual([]);
  });
});

describe('an artifact in the cache', () => {
  const compress = (output: string, env: NodeJS.ProcessEnv = {}): Promise<Outcome> =>
    edgeflexProcess(
      ['compress', microDirectory, '--recipe', 'suites/recipes/int8.yaml', '-o', folder(output), '--json'],
      { EDGEFLEX_CACHE: folder('cache'), ...env },
    );

  it('whose bytes were changed is found by verify, and made again and not handed out', async () => {
    expect((await compress('first')).code).toBe(exitCodes.fine);
    expect((await command(['verify'])).code).toBe(exitCodes.fine);
    const artifact = (await json<Listed[]>('list')).find(({ kind }) => kind === 'artifact')!;
    const path = join(artifact.directory, 'files', 'model.onnx');
    const whole = await readFile(path);
    await writeFile(
      path,
      Buffer.concat([whole.subarray(0, whole.length / 2), Buffer.alloc(Math.ceil(whole.length / 2))]),
    );
    const { code, out } = await command(['verify']);
    expect(code).toBe(exitCodes.gate);
    expect(out).toContain('model.onnx');
    expect((await compress('second')).code).toBe(exitCodes.fine);
    expect(await readFile(folder('second', 'model.onnx'))).toEqual(
      await readFile(folder('first', 'model.onnx')),
    );
    expect((await command(['verify'])).code).toBe(exitCodes.fine);
  }, 60_000);

  it('goes when another needs its room, but is there when it was asked for', async () => {
    await make('artifact', 'old', 'by itself');
    await usedBefore('old', 2);
    expect((await compress('first', { EDGEFLEX_CACHE_LIMIT: '10kB' })).code).toBe(exitCodes.fine);
    expect(existsSync(folder('first', 'model.onnx'))).toBe(true);
    expect(await titles()).not.toContain('old');
  }, 60_000);
});
