import { InputError, messageOf, ResourceError } from '../../base/errors.js';
import { StoreError, type StoreFaultKind } from '../error.js';

/** What a code of PostgreSQL's, or of the network's, means for a store. */
interface Meaning {
  readonly kind: StoreFaultKind;
  readonly expected: string;
  readonly hint: string;
}

const UNREACHABLE: Meaning = {
  kind: 'unreachable',
  expected: 'a PostgreSQL server that answers',
  hint: 'See that the server runs, that the host and the port are right, and that nothing between here and there closes them.',
};

const REFUSED: Meaning = {
  kind: 'refused',
  expected: 'a user whom the server lets in',
  hint: 'Give the password in the address, in PGPASSWORD or in ~/.pgpass; the server lists in pg_hba.conf who may connect from where.',
};

const NO_RIGHTS: Meaning = {
  kind: 'unwritable',
  expected: 'a user with the rights that this needs',
  hint: 'Whoever owns the database can give them: docs/shared-store.md lists the rights for reading, for recording and for changing the schema.',
};

const BUSY: Meaning = {
  kind: 'busy',
  expected: 'a server with room, and data that nobody keeps locked for more than ten seconds',
  hint: 'Wait until other commands have ended, and try again.',
};

const DAMAGED: Meaning = {
  kind: 'damaged',
  expected: 'what EdgeFlex stored there',
  hint: 'Ask whoever runs the server; a copy made by pg_dump can be restored.',
};

/** By SQLSTATE or its first two characters, and by the codes of Node's. */
const meanings: Readonly<Record<string, Meaning>> = {
  ...{ ECONNREFUSED: UNREACHABLE, ENOTFOUND: UNREACHABLE, EAI_AGAIN: UNREACHABLE, ETIMEDOUT: UNREACHABLE },
  ...{ EHOSTUNREACH: UNREACHABLE, ENETUNREACH: UNREACHABLE, ECONNRESET: UNREACHABLE, EPIPE: UNREACHABLE },
  ...{ ENOENT: UNREACHABLE, '08': UNREACHABLE, '57P01': UNREACHABLE, '57P02': UNREACHABLE },
  ...{ '57P03': UNREACHABLE, '57P05': UNREACHABLE, '25P03': UNREACHABLE },
  ...{ '28': REFUSED, '42501': NO_RIGHTS, '25006': NO_RIGHTS },
  ...{ '53300': BUSY, '55P03': BUSY, '40': BUSY },
  ...{ XX001: DAMAGED, XX002: DAMAGED, '42P01': DAMAGED, '42703': DAMAGED },
  '3D000': {
    kind: 'missing',
    expected: 'an existing database',
    hint: 'Make it with "createdb", or correct its name at the end of the address.',
  },
};

const networkCodes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'that nothing listens there',
  ENOTFOUND: 'a host name that nobody knows',
  EAI_AGAIN: 'a host name that cannot be looked up now',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'no way to the host',
  ENETUNREACH: 'no way to the network',
  ECONNRESET: 'a connection that was cut',
  EPIPE: 'a connection that was cut',
  ENOENT: 'no socket of a server',
};

/** What the driver throws without a code when the server or the network between has gone. */
const gone =
  /connection terminated|connection timeout|timeout exceeded when trying to connect|query read timeout|not queryable|connection error/i;

/**
 * Puts an error of PostgreSQL, of its driver or of the network into words. Others, and those that only a fault of the code can cause,
 * stay as they are.
 *
 * @param error - what was thrown
 * @param shown - the database's address without passwords
 * @returns a `StoreError`, a `ResourceError`, an `InputError`, or the error itself
 */
export function asPostgresError(error: unknown, shown: string): unknown {
  if (!(error instanceof Error) || error instanceof InputError || error instanceof ResourceError)
    return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const options = { cause: error };
  if (code === '53100')
    return new ResourceError(
      `${shown}: the server's disk is full (${messageOf(error)}). What was stored before is safe; free some space there, then repeat the command.`,
      options,
    );
  if (code.startsWith('58') || code === '53200')
    return new ResourceError(`${shown}: the server is short of something (${messageOf(error)})`, options);
  if (code === '22021' || code === '22P05')
    return new InputError({
      source: shown,
      found: `a text that PostgreSQL cannot store (${messageOf(error)})`,
      expected: 'texts in UTF-8 without the character of code 0',
    });
  const meaning = meanings[code] ?? meanings[code.slice(0, 2)];
  if (meaning === undefined) {
    if (gone.test(error.message))
      return new StoreError(
        'unreachable',
        { source: shown, ...faultOf(UNREACHABLE, 'a server that has gone', error) },
        options,
      );
    return error;
  }
  return new StoreError(
    meaning.kind,
    { source: shown, ...faultOf(meaning, networkCodes[code], error) },
    options,
  );
}

function faultOf(
  { expected, hint }: Meaning,
  known: string | undefined,
  error: Error,
): { readonly found: string; readonly expected: string; readonly hint: string } {
  const said = error.message === '' ? '' : ` (${error.message})`;
  return {
    found: known === undefined ? `what the server says: ${error.message}` : `${known}${said}`,
    expected,
    hint,
  };
}
