import { chmod } from 'node:fs/promises';

/** The user that owns nothing. */
const NOBODY = 65534;

/**
 * Does something while a folder can be read but not written; root, whom permissions do not stop, is nobody meanwhile.
 *
 * @param folder - the folder
 * @param act - what to do
 */
export async function withoutWriting<T>(folder: string, act: () => Promise<T>): Promise<T> {
  await chmod(folder, 0o555);
  const isRoot = process.geteuid!() === 0;
  if (isRoot) process.seteuid!(NOBODY);
  try {
    return await act();
  } finally {
    if (isRoot) process.seteuid!(0);
    await chmod(folder, 0o755);
  }
}
