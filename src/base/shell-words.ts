/**
 * A command as a user would type it: words with anything but plain characters stand in quotes.
 *
 * @param words - the program and its arguments
 */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./~-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
