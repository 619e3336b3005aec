import { DeviceError } from '../../base/errors.js';
import type { Cleaned } from '../kind.js';
import { boardFault } from './board-files.js';
import { connected } from './check.js';
import { BoardLock } from './lock.js';
import type { SshProfile } from './profile.js';
import { SIGN } from './workplace.js';

/**
 * `$1`: the work folder. Removes what edgeflex put there and nothing else, and kills agents that still run. Prints the KiB that
 * it freed and how many agents it killed.
 */
const CLEAN = `
cd -- "$1" 2>/dev/null || { echo 0 0; exit 0; }
[ -e ${SIGN} ] || { echo no-sign; exit 0; }
killed=0
for each in runs/*/pid; do
  pid=$(cat "$each" 2>/dev/null) || continue
  tr '\\000' '\\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF -- "$PWD/apps/" || continue
  kill -KILL "$pid" && killed=$((killed + 1))
done
freed=$(du -sk . | cut -f 1)
rm -rf store models apps runs node-v* ${SIGN} || exit 1
folder=$PWD; cd /; rmdir "$folder" 2>/dev/null
echo "$freed" "$killed"`;

/**
 * Removes everything that runs left on a board.
 *
 * @param profile - of the board
 * @throws DeviceError when it cannot be reached, another harness uses it, or its folder is not one of ours
 */
export function cleanBoard(profile: SshProfile): Promise<Cleaned> {
  return connected(profile, async (connection) => {
    // What another harness uses is not taken away under its hands.
    const lock = await BoardLock.take(connection, profile.name);
    const folder = profile.folder.replace(/^~\//, '');
    const { code, stdout, stderr } = await connection.run(CLEAN, [folder], { seconds: 300 });
    await lock.release();
    if (code !== 0) throw new DeviceError(`device ${profile.name}: ${boardFault(stderr, code)}`);
    if (stdout.trim() === 'no-sign')
      throw new DeviceError(
        `device ${profile.name}: ${profile.folder} is not a folder that edgeflex made; nothing was removed`,
      );
    const [freed = NaN, killed = NaN] = stdout.trim().split(' ').map(Number);
    if (!Number.isFinite(freed) || !Number.isFinite(killed))
      throw new DeviceError(`device ${profile.name} did not say what it removed`);
    return { freedBytes: freed * 1024, killedAgents: killed };
  });
}
