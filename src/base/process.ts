import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Whether a process of this machine is there no more. Another user's, which may not be asked, counts as being there.
 *
 * @param id - of the process
 */
export function isGone(id: number): boolean {
  try {
    process.kill(id, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/**
 * When a process of this machine was started, to tell it from a later one of the same id.
 *
 * @param id - of the process
 * @returns the boot and the namespace that the id counts in, a space, and the clock ticks since the boot; null where the system does not say (no `/proc`), or there is no such process
 */
export function startOfProcess(id: number): string | null {
  try {
    // Ids of processes count within a boot and a container's namespace.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    const where = `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
    // The name, in parentheses, may hold anything; the start is the 20th field behind it.
    const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
    const ticks = stat.slice(stat.lastIndexOf(') ') + 2).split(' ')[19];
    return ticks === undefined ? null : `${where} ${ticks}`;
  } catch {
    return null;
  }
}
