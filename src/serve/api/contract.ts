import { z } from 'zod';

/** Who may do what: each role may all that those before it may. */
export const roles = ['read', 'submit', 'admin'] as const;

export type Role = (typeof roles)[number];

/** Where the API lies. */
export const API = '/api/v1';

/** What an endpoint takes and gives. */
export interface Contract {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** After `/api/v1`; parameters as `:name`. */
  readonly path: string;
  /** Who may call it. */
  readonly role: Role;
  /** One line for the OpenAPI document. */
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** Of a successful call, which is answered with JSON; undefined: with a stream of events. */
  readonly response?: z.ZodType;
  /** Status of a successful call; 200 if left out. */
  readonly status?: 201;
  /** What it does, as the audit log calls it; left out of what changes nothing. */
  readonly writes?: `${string}.${string}`;
}

/** A whole number in a query, which is a text. */
export function wholeQuery(least: number, most: number, usual: number): z.ZodDefault<z.ZodCoercedNumber> {
  return z.coerce.number().int().min(least).max(most).default(usual);
}

/** Of a query: a word that must be there if it is given. */
export const word = z.string().min(1).max(200);

/** A yes or no in a query. */
export const flagQuery = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .optional();

/** A moment: ISO 8601, UTC. */
export const momentSchema = z.string().meta({ format: 'date-time' });

/** What pages are asked for by. */
export const pageQuery = {
  /** `next` of the page before; left out, the first page. */
  cursor: z.string().min(1).max(400).optional(),
  limit: wholeQuery(1, 200, 50),
};

/** Where the next page begins; null after the last one. */
export const nextSchema = z.string().nullable();

/** A run, by its global id or the id that the command line knows it by. */
export const runParams = z.object({ id: word });

/**
 * A document that the command line writes, too, whose type is described there.
 *
 * @param id - of the schema in the OpenAPI document
 * @param description - what it is
 */
export function documentSchema<T extends object>(id: string, description: string): z.ZodType<T, T> {
  return z
    .custom<T>((value) => typeof value === 'object' && value !== null)
    .meta({ id, description, type: 'object' });
}

/** What went wrong, as RFC 9457 has it: `application/problem+json`. */
export const problemSchema = z
  .strictObject({
    /** Names the kind of problem: `urn:edgeflex:problem:not-found`. */
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    /** What is wrong with this request, in words for people. */
    detail: z.string(),
    /** What was asked for. */
    instance: z.string(),
    /** Where input was refused: what was read, the place in it, what was found, what was expected. */
    fault: z
      .strictObject({
        source: z.string(),
        place: z.string().optional(),
        found: z.string(),
        expected: z.string(),
        hint: z.string().optional(),
      })
      .optional(),
  })
  .meta({ id: 'Problem' });

export type Problem = z.output<typeof problemSchema>;
