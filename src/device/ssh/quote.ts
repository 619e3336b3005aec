/**
 * A word as a POSIX shell reads it back: nothing in it has a meaning to the shell.
 *
 * @param word - any text without NUL characters
 * @throws RangeError when it has one, which no argument of a program can
 */
export function shellQuote(word: string): string {
  if (word.includes('\0')) throw new RangeError('a NUL character in a word of a command');
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/**
 * The command that has a board's shell run a script of ours. The script is a constant of the code; whatever varies goes
 * into its positional parameters, each quoted.
 *
 * @param script - for a POSIX shell; finds its arguments in `$1`, `$2` …
 * @param args - the arguments
 */
export function scriptCommand(script: string, args: readonly string[]): string {
  return ['exec', 'sh', '-c', shellQuote(script), 'edgeflex', ...args.map(shellQuote)].join(' ');
}
