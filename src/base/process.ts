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
