import { z } from 'zod';
import { roles, type Contract } from './contract.js';

/** Who the caller is, and what there is. */
const sessionSchema = z
  .strictObject({
    role: z.enum(roles),
    /** Name of the token; null where none is needed. */
    name: z.string().nullable(),
    /** Whether callers need tokens: they do as soon as there is one. */
    tokens: z.boolean(),
    store: z.enum(['sqlite', 'postgresql']),
    /** Where results lie: the folder, or the address without its password. */
    place: z.string(),
    /** Whether there is a queue: only on PostgreSQL. */
    queue: z.boolean(),
    /** EdgeFlex's. */
    version: z.string(),
  })
  .meta({ id: 'Session' });

export const session = {
  method: 'GET',
  path: '/session',
  role: 'read',
  summary: 'Who the caller is, and which store is served',
  response: sessionSchema,
} as const satisfies Contract;
