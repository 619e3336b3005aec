import type { IncomingHttpHeaders } from 'node:http';
import type { Db } from '../../store/open.js';
import { hasTokens, holderOf } from '../../store/tokens.js';
import { problemWords } from '../../text/problems.js';
import { roles, type Role } from '../api/contract.js';
import { RequestProblem } from '../problem.js';

/** Who asks. */
export interface Caller {
  /** Name of the token; null where none is needed. */
  readonly name: string | null;
  readonly role: Role;
  /** In the network. */
  readonly address: string;
  /** Whether callers need tokens. */
  readonly tokens: boolean;
}

/** What is known of somebody who may not ask at all. */
export interface Stranger {
  readonly address: string;
  readonly because: 'no token' | 'unknown token';
}

/**
 * Who asks. While nobody has made a token, whoever reaches the server, which is on this machine alone then, may read: what others of this
 * machine may see is no secret, but what they may start must be somebody's doing.
 *
 * @param db - the store with the tokens
 * @param headers - of the request
 * @param address - of the caller
 */
export async function callerOf(
  db: Db,
  headers: IncomingHttpHeaders,
  address: string,
): Promise<Caller | Stranger> {
  const token = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  if (token !== undefined) {
    const holder = await holderOf(db, token);
    if (holder === undefined) return { address, because: 'unknown token' };
    return { name: holder.name, role: holder.role, address, tokens: true };
  }
  if (headers.authorization !== undefined) return { address, because: 'unknown token' };
  if (await hasTokens(db)) return { address, because: 'no token' };
  return { name: null, role: 'read', address, tokens: false };
}

/** Whether somebody may ask at all. */
export function isCaller(who: Caller | Stranger): who is Caller {
  return 'role' in who;
}

/**
 * Refuses whoever has not the role that something takes.
 *
 * @param who - asks
 * @param needed - role
 * @returns who asks
 * @throws RequestProblem
 */
export function checkRole(who: Caller | Stranger, needed: Role): Caller {
  if (!isCaller(who))
    throw new RequestProblem(
      'not-allowed',
      who.because === 'no token' ? problemWords.tokenMissing : problemWords.tokenUnknown,
    );
  if (roles.indexOf(who.role) >= roles.indexOf(needed)) return who;
  throw new RequestProblem(
    'forbidden',
    who.tokens ? problemWords.role(needed, who.role) : problemWords.noTokens,
  );
}
