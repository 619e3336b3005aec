/**
 * The first name that was there before.
 *
 * @param names - in their order
 * @returns undefined where each is there once
 */
export function firstTwice(names: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return names.find((name) => seen.size === seen.add(name).size);
}
