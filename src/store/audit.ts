import type { Db } from './open.js';
import type { TokenRole } from './tokens.js';

/** Something that was done, or refused. */
export interface AuditEntry {
  readonly id: number;
  /** ISO 8601, UTC. */
  readonly at: string;
  /** Name of the token; null where none was given or it is not known. */
  readonly actor: string | null;
  readonly role: TokenRole | null;
  /** Of the caller in the network; null for the command line. */
  readonly address: string | null;
  /** Such as `queue.submit`. */
  readonly action: string;
  /** What it was done to. */
  readonly target: string;
  readonly outcome: 'done' | 'refused' | 'failed';
  /** Why it was refused or failed. */
  readonly detail: string | null;
}

/** What of an entry may be left out: it is null then. */
type Optional = 'actor' | 'role' | 'address' | 'detail';

export type NewAuditEntry = Omit<AuditEntry, 'id' | 'at' | Optional> & Partial<Pick<AuditEntry, Optional>>;

/** Longer texts of callers are cut: a log must not be filled by them. */
const LONGEST = 500;

/**
 * Writes something into the audit log.
 *
 * @param db - the store, open for writing, or the transaction in which it is done
 * @param entry - what
 */
export async function recordAudit(db: Db, entry: NewAuditEntry): Promise<void> {
  const { actor = null, role = null, address = null, action, target, outcome, detail = null } = entry;
  const at = new Date().toISOString();
  await db
    .insertInto('audit')
    .values({
      ...{ at, actor, role, address, action, outcome },
      ...{ target: target.slice(0, LONGEST), detail: detail?.slice(0, LONGEST) ?? null },
    })
    .execute();
}

/**
 * Entries of the audit log, the newest first.
 *
 * @param db - the store
 * @param before - id of the entry that the page begins after; undefined for the first page
 * @param limit - so many at most
 */
export async function listAudit(db: Db, before: number | undefined, limit: number): Promise<AuditEntry[]> {
  const all = db.selectFrom('audit').selectAll().orderBy('id', 'desc').limit(limit);
  return (before === undefined ? all : all.where('id', '<', before)).execute();
}
