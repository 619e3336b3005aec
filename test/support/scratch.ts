import { accessSync, constants, readFileSync, statfsSync } from 'node:fs';

const MEMORY = '/dev/shm';

/** What the tests' folders may take at a time, with room to spare. */
const ENOUGH_BYTES = 4 * 2 ** 30;

/**
 * Lets temporary files of the tests, and of all that they start, lie in memory where there is room: databases and reports wait for the disk
 * at every commit, which is a third of the time of many files. A `TMPDIR` that is set stays.
 */
export function useMemoryForScratch(): void {
  if (process.env['TMPDIR'] !== undefined || !isUsable()) return;
  // Not a folder in it: the sockets of browsers have paths of a hundred characters at most, and lie deep.
  process.env['TMPDIR'] = MEMORY;
}

/** Whether there is such a folder, with room, in which programs may be started. */
function isUsable(): boolean {
  try {
    accessSync(MEMORY, constants.W_OK);
    const mounted = readFileSync('/proc/mounts', 'utf8')
      .split('\n')
      .find((line) => line.split(' ')[1] === MEMORY);
    const { bavail, bsize } = statfsSync(MEMORY);
    return mounted !== undefined && !/\bnoexec\b/.test(mounted) && bavail * bsize >= ENOUGH_BYTES;
  } catch {
    return false;
  }
}
