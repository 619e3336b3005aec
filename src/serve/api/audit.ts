import { z } from 'zod';
import { momentSchema, nextSchema, pageQuery, roles, type Contract } from './contract.js';

/** Something that was done, or refused. */
export const auditSchema = z
  .strictObject({
    id: z.number(),
    at: momentSchema,
    /** Name of the token; null where none was given or it is not known. */
    actor: z.string().nullable(),
    role: z.enum(roles).nullable(),
    /** Network address of the caller; null for the command line. */
    address: z.string().nullable(),
    /** Such as `queue.submit`, `token.add`, `token.refused`. */
    action: z.string(),
    /** What it was done to. */
    target: z.string(),
    outcome: z.enum(['done', 'refused', 'failed']),
    /** Why it was refused or failed; null otherwise. */
    detail: z.string().nullable(),
  })
  .meta({ id: 'AuditEntry' });

export const audit = {
  method: 'GET',
  path: '/audit',
  role: 'admin',
  summary: 'What was changed, by whom, and tokens that were refused: the newest first',
  query: z.object(pageQuery),
  response: z.strictObject({ entries: z.array(auditSchema), next: nextSchema }).meta({ id: 'Audit' }),
} as const satisfies Contract;
