import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { InputError } from '../base/errors.js';
import { recordAudit } from './audit.js';
import type { Db } from './open.js';
import { alone } from './server.js';
import type { TokensTable } from './tables.js';

/** What holders of a token may do: each role all that those before it may. */
export type TokenRole = TokensTable['role'];

/** A token as it is known: without its secret. */
export interface StoredToken {
  readonly name: string;
  readonly role: TokenRole;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
}

/** Names that read well in lists and logs. */
const NAME = /^[a-z0-9][\w.@-]{0,99}$/i;

/** What tokens begin with, so that scanners of secrets and people know what they look at. */
const PREFIX = 'edgeflex_';

/** Bytes of chance in a token. */
const SECRET_BYTES = 32;

/**
 * Makes a token. It is told this once: only its SHA-256 is stored. That is enough for 256 random bits, which nobody can guess from a hash
 * however fast hashing is; a slow hash with a salt (scrypt, Argon2) protects what people choose, and would cost every request its time.
 *
 * @param db - the store, open for writing
 * @param name - of the token: letters, digits, ".", "_", "@" and "-"
 * @param role - of its holder
 * @returns the token, and what is stored of it
 * @throws InputError when the name is none, or taken
 */
export async function addToken(
  db: Db,
  name: string,
  role: TokenRole,
): Promise<StoredToken & { readonly token: string }> {
  if (!NAME.test(name))
    throw new InputError({
      source: '--name',
      found: JSON.stringify(name),
      expected: 'at most 100 letters, digits, ".", "_", "@" and "-", the first a letter or a digit',
    });
  const token = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  const createdAt = new Date().toISOString();
  await alone(db, 'tokens', async (transaction) => {
    const known = await transaction.selectFrom('tokens').select('name').where('name', '=', name).execute();
    if (known.length > 0)
      throw new InputError({
        source: '--name',
        found: `${name}, which is a token already`,
        expected: 'another name',
        hint: `"edgeflex serve token remove --name ${name}" takes that token away.`,
      });
    const row = { name, role, hash: hashOf(token).toString('hex'), created_at: createdAt };
    await transaction.insertInto('tokens').values(row).execute();
    await recordAudit(transaction, { action: 'token.add', target: `${name} (${role})`, outcome: 'done' });
  });
  return { name, role, createdAt, token };
}

/** All tokens, by name. */
export async function listTokens(db: Db): Promise<StoredToken[]> {
  const rows = await db.selectFrom('tokens').select(['name', 'role', 'created_at']).orderBy('name').execute();
  return rows.map(({ name, role, created_at: createdAt }) => ({ name, role, createdAt }));
}

/**
 * Takes a token away: it is refused from then on.
 *
 * @param db - the store, open for writing
 * @param name - of the token
 * @returns what it was
 * @throws InputError when there is none of that name
 */
export async function removeToken(db: Db, name: string): Promise<StoredToken> {
  return alone(db, 'tokens', async (transaction) => {
    const removed = await transaction
      .deleteFrom('tokens')
      .where('name', '=', name)
      .returning(['name', 'role', 'created_at'])
      .executeTakeFirst();
    if (removed === undefined)
      throw new InputError({
        source: 'token',
        found: `no ${name}`,
        expected: 'an existing token',
        hint: '"edgeflex serve token list" lists them.',
      });
    await recordAudit(transaction, { action: 'token.remove', target: name, outcome: 'done' });
    return { name, role: removed.role, createdAt: removed.created_at };
  });
}

/** Whether there is any token: callers need one then. */
export async function hasTokens(db: Db): Promise<boolean> {
  return (await db.selectFrom('tokens').select('name').limit(1).executeTakeFirst()) !== undefined;
}

/**
 * Whose a token is. Every stored hash is compared in full, so that the time tells nothing of which is near.
 *
 * @param db - the store
 * @param token - what a caller has sent
 * @returns undefined when it is nobody's
 */
export async function holderOf(db: Db, token: string): Promise<StoredToken | undefined> {
  const given = hashOf(token);
  const rows = await db.selectFrom('tokens').selectAll().execute();
  let found: StoredToken | undefined;
  for (const { name, role, hash, created_at: createdAt } of rows) {
    const stored = Buffer.from(hash, 'hex');
    if (stored.length === given.length && timingSafeEqual(stored, given)) found = { name, role, createdAt };
  }
  return found;
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
