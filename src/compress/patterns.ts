/**
 * Whether a name matches one of some patterns, in which `*` stands for any characters: `layers.*.fc2` matches
 * `layers.11.fc2`.
 *
 * @param name - a linear or a tensor
 * @param patterns - what to compare it with
 */
export function matchesAny(name: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
    return new RegExp(`^${parts.join('.*')}$`).test(name);
  });
}
