/** What holds something that must be given back. */
export interface Closable {
  close(): Promise<void>;
}

/**
 * Closes everything, one after the other: one that fails keeps none from being closed.
 *
 * @param open - what is open
 * @returns what went wrong, in the order of what is closed; empty when nothing did
 */
export async function closeAll<T extends Closable>(
  open: readonly T[],
): Promise<{ readonly item: T; readonly error: unknown }[]> {
  const failed: { item: T; error: unknown }[] = [];
  for (const item of open)
    try {
      await item.close();
    } catch (error) {
      failed.push({ item, error });
    }
  return failed;
}
