import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { MAX_ROUNDS } from '../base/limits.js';
import { describeFault } from '../base/schema.js';
import { batchesSchema, tierSchema } from '../suite/schema.js';

/** The option that every function has whose work takes long. */
export interface Stoppable {
  /** Stops the work when it fires; the job then fails with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Fields of the schemas of options that several functions have. */
export const fields = {
  signal: z.instanceof(AbortSignal).optional(),
  plugins: z.array(z.string().min(1)).optional(),
  data: z.string().optional(),
};

const count = z.number().int().positive();

/** Fields of `SuiteChanges`. */
export const changeFields = {
  data: fields.data,
  devices: z.array(z.string()).optional(),
  images: count.optional(),
  batches: batchesSchema.optional(),
  tier: tierSchema.optional(),
  rounds: count.max(MAX_ROUNDS).optional(),
};

/**
 * Checks what a caller asks for: programs in JavaScript have no compiler that would.
 *
 * @param source - the function, for the message
 * @param options - as they were given
 * @param schema - what they must be
 * @throws InputError that names the option, what was found and what is expected
 */
export function checkedOptions<Schema extends z.ZodType>(
  source: string,
  options: unknown,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(options);
  if (parsed.success) return parsed.data;
  const { path, found, expected } = describeFault(parsed.error, options, schema);
  const place = ['options', ...path.map(String)].join('.');
  throw new InputError({ source, place, found, expected });
}

/** The signal that was given, or one that never fires. */
export function signalOf({ signal }: Stoppable): AbortSignal {
  return signal ?? new AbortController().signal;
}
