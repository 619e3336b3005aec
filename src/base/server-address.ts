import { InputError } from './errors.js';

/** The environment's name for the address of the shared database. */
export const SERVER_VARIABLE = 'EDGEFLEX_DB';

const EXPECTED = 'the address of a PostgreSQL database, such as postgres://user@host:5432/edgeflex';

const ESCAPES =
  'In a user name or a password, write "@" as %40, ":" as %3A, "/" as %2F, "#" as %23 and "%" as %25.';

/**
 * Whether a place where results lie is a database on a server, and no folder.
 *
 * @param place - a folder, or an address
 */
export function isServerAddress(place: string): boolean {
  return /^postgres(ql)?:\/\//i.test(place);
}

/**
 * A text that may be the address of a server, without the passwords in it; every other one as it is. Addresses are shown, stored and
 * logged in no other form.
 *
 * @param text - well-formed or not
 */
export function withoutPassword(text: string): string {
  return text
    .replace(/(\bpostgres(?:ql)?:\/\/[^:@/?#\s]*):[^\s]*@/gi, '$1@')
    .replace(/([?&](?:ssl)?password=)[^&#\s]*/gi, '$1…');
}

/**
 * Checks the address of a database on a server.
 *
 * @param address - `postgres://user:password@host:port/database`
 * @param source - what gave it, for the message: `--db`
 * @returns the address
 * @throws InputError when it is none; the message has no password
 */
export function checkedAddress(address: string, source: string): string {
  const refuse = (found: string, hint?: string): InputError =>
    new InputError({ source, found, expected: EXPECTED, ...(hint !== undefined && { hint }) });
  const shown = withoutPassword(address);
  if (!isServerAddress(address)) throw refuse(shown === '' ? 'nothing' : shown);
  if (!URL.canParse(address)) throw refuse(`${shown}, which is no valid URL`, ESCAPES);
  const { pathname } = new URL(address);
  if (pathname.length <= 1) throw refuse(`${shown}, which names no database`);
  if (pathname.includes('/', 1)) throw refuse(`${shown}, which names more than a database`, ESCAPES);
  return address;
}
