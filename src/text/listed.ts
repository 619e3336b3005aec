/**
 * Names in a sentence: `a, b and 3 more`.
 *
 * @param names - in order
 * @param most - how many stand there at most, the rest counted as one
 */
export function listed(names: readonly string[], most = 4): string {
  if (names.length <= most) return names.join(', ');
  return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`;
}

/**
 * The last of some words behind "and".
 *
 * @param words - at least one
 */
export function joinedByAnd(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} and ${last}`;
}
