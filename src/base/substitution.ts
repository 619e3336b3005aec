import { z } from 'zod';

/** In what the graph that a device runs differs from what a recipe asks for. */
const substitutionSchema = z.discriminatedUnion('kind', [
  /** Linears meant for int8 activations (W8A8) have their int8 weights in MatMulNBits (W8): the provider has no kernels for int8 inputs. */
  z.strictObject({ kind: z.literal('weights-only'), linears: z.number().int().positive() }),
  /** Linears stored as float16 are computed in this type: in float32 where the adapter has no `shader-f16`. */
  z.strictObject({
    kind: z.literal('float16-linears'),
    linears: z.number().int().positive(),
    computedIn: z.enum(['float16', 'float32']),
  }),
  /** Words of a version that stored nothing else. */
  z.strictObject({ kind: z.literal('text'), text: z.string() }),
]);

/** Several at once, each of its own kind. */
export const substitutionsSchema = z.array(substitutionSchema).readonly();

export type Substitution = z.infer<typeof substitutionSchema>;

/**
 * Reads substitutions as they were stored: JSON, or the words of an older version.
 *
 * @param stored - the text; null where there were none
 */
export function parseSubstitutions(stored: string | null): readonly Substitution[] {
  if (stored === null) return [];
  let value: unknown;
  try {
    value = JSON.parse(stored);
  } catch {
    return [{ kind: 'text', text: stored }];
  }
  return substitutionsSchema.safeParse(value).data ?? [{ kind: 'text', text: stored }];
}
