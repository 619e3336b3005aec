import { withoutPassword } from '../../base/server-address.js';
import { shellWords } from '../../base/shell-words.js';

/** The command that was given, as a shell reads it, without the passwords of servers: for the record of a run, and for a user who is to give it again. */
export function givenCommand(): string {
  return withoutPassword(shellWords(['edgeflex', ...process.argv.slice(2)]));
}
