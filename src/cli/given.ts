import { shellWords } from '../base/shell-words.js';

/** The command that was given, as a shell reads it: for the record of a run, and for a user who is to give it again. */
export function givenCommand(): string {
  return shellWords(['edgeflex', ...process.argv.slice(2)]);
}
