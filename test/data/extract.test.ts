import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createGzip, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { ArchiveError, extractFiles } from '../../src/data/extract.js';
import { useFolder } from '../support/folder.js';
import { tarEntry } from './support/cifar.js';

const inFolder = useFolder();
const MEBIBYTE = 2 ** 20;
const { signal } = new AbortController();

/** A compressed archive of one file of zeros, which is small itself. */
async function bomb(path: string, name: string, mebibytes: number): Promise<void> {
  const header = tarEntry(name, Buffer.alloc(0)).subarray(0, 512);
  header.write(`${(mebibytes * MEBIBYTE).toString(8).padStart(11, '0')}\0`, 124);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const gzip = createGzip({ level: 1 });
  const file = gzip.pipe(createWriteStream(path));
  gzip.write(header);
  for (let i = 0; i < mebibytes; i++) if (!gzip.write(Buffer.alloc(MEBIBYTE))) await once(gzip, 'drain');
  gzip.end(Buffer.alloc(1024));
  await once(file, 'close');
}

test.each(['wanted.bin', 'other.bin'])(
  'an archive that holds far more than it may is refused before it is read to its end: %s',
  async (name) => {
    await bomb(inFolder('bomb.tgz'), name, 300);
    expect((await stat(inFolder('bomb.tgz'))).size).toBeLessThan(3 * MEBIBYTE);
    const before = process.memoryUsage().rss;
    const refused = await extractFiles(
      inFolder('bomb.tgz'),
      ['wanted.bin'],
      inFolder('out'),
      signal,
      16 * MEBIBYTE,
    ).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ArchiveError);
    expect((refused as ArchiveError).fault).toMatchObject({
      source: inFolder('bomb.tgz'),
      found: expect.stringContaining(String(16 * MEBIBYTE)) as string,
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MEBIBYTE);
  },
);

test.each([true, false])('chosen files come out whole, compressed: %s', async (compressed) => {
  const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
  const plain = Buffer.concat([
    tarEntry('a/wanted.bin', content),
    tarEntry('a/other.bin', content),
    Buffer.alloc(1024),
  ]);
  await writeFile(inFolder('archive'), compressed ? gzipSync(plain) : plain);
  await extractFiles(inFolder('archive'), ['a/wanted.bin'], inFolder('out'), signal);
  expect(await readFile(inFolder('out/a/wanted.bin'))).toEqual(content);
  expect(await readdir(inFolder('out/a'))).toEqual(['wanted.bin']);
});
