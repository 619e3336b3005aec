import { z } from 'zod';

/** What stands beside images for their classes. */
export type Marks =
  | { readonly kind: 'names'; readonly values: readonly string[] }
  | { readonly kind: 'numbers'; readonly values: readonly number[] };

/** The same as it is kept with images that were unpacked. */
export const marksSchema: z.ZodType<Marks> = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('names'), values: z.array(z.string()) }),
  z.object({ kind: z.literal('numbers'), values: z.array(z.number()) }),
]);

/** What a user calls the columns or arrays of the images and of their classes. */
export interface NamedParts {
  readonly image?: string | undefined;
  readonly label?: string | undefined;
}
