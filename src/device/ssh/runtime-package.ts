import { createWriteStream } from 'node:fs';
import { cp, readdir, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { create } from 'tar';
import { DeviceError } from '../../base/errors.js';
import { hashFile } from '../../base/hash.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import { cacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';

/** The list of its files' sums inside a packed runtime, as `sha256sum -c` reads it. */
const SUMS = 'SHA256SUMS';

/** The native part of ONNX Runtime for boards, inside the installed package. */
const NATIVE = join('bin', 'napi-v6', 'linux', 'arm64');

/**
 * Packs the installed ONNX Runtime for 64-bit ARM Linux: its JavaScript and the native files of that platform, a quarter of
 * the package. Made once for each version of it, and kept in the cache.
 *
 * @returns the archive, whose bytes depend on the files alone
 * @throws the file system's error
 */
export async function packedRuntime(): Promise<string> {
  const folders = runtimeFolders();
  const files = (await Promise.all(folders.map(({ from, to }) => filesIn(from, to)))).flat();
  const sums = await Promise.all(files.map(async ({ from, to }) => [to, await hashFile(from)] as const));
  const key = cacheKey('board', { runtime: sums });
  const name = `runtime-${key.digest.slice(0, 32)}.tar.gz`;
  const { files: folder } = await cache().make(key, { title: 'ONNX Runtime for boards' }, (into) =>
    withTemporaryFolder('runtime', async (staging) => {
      for (const { from, to } of files) await cp(from, join(staging, to));
      await writeFile(join(staging, SUMS), sums.map(([file, sum]) => `${sum}  ${file}\n`).join(''));
      const packed = create({ gzip: true, portable: true, noMtime: true, cwd: staging }, [
        SUMS,
        ...files.map(({ to }) => to),
      ]);
      await pipeline(packed, createWriteStream(join(into, name)));
    }),
  );
  return join(folder, name);
}

/** What lies in a folder, or the file itself, without what only people and debuggers read. */
async function filesIn(from: string, to: string): Promise<{ readonly from: string; readonly to: string }[]> {
  const found = await stat(from).catch(() => {
    throw new DeviceError(`the installed ONNX Runtime has nothing for 64-bit ARM Linux: ${from} is missing`);
  });
  if (found.isFile()) return [{ from, to }];
  const names = (await readdir(from, { recursive: true })).sort();
  const kept = names.filter((name) => /\.(c?js|json|node|so(\.\d+)*)$/.test(name));
  return kept.map((name) => ({ from: join(from, name), to: join(to, name) }));
}

/** Folders and files of the installed packages, and where they stand in the archive. */
function runtimeFolders(): { readonly from: string; readonly to: string }[] {
  const require = createRequire(import.meta.url);
  const node = dirname(require.resolve('onnxruntime-node/package.json'));
  // What a `require` finds is dist/cjs/index.js; the package lets nobody ask for its package.json.
  const entry = createRequire(join(node, 'package.json')).resolve('onnxruntime-common');
  const common = dirname(dirname(dirname(entry)));
  const modules = (name: string, part: string): string => join('node_modules', name, part);
  return [
    { from: join(node, 'dist'), to: modules('onnxruntime-node', 'dist') },
    { from: join(node, NATIVE), to: modules('onnxruntime-node', NATIVE) },
    { from: join(node, 'package.json'), to: modules('onnxruntime-node', 'package.json') },
    { from: join(common, 'dist', 'cjs'), to: modules('onnxruntime-common', join('dist', 'cjs')) },
    { from: join(common, 'package.json'), to: modules('onnxruntime-common', 'package.json') },
  ];
}
