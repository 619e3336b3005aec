import { z } from 'zod';

/** Options of the `head` stage. */
export const headOptionsSchema = z.strictObject({
  /** Training images to fit the head on; a third as many more check the penalty. */
  images: z.number().int().min(2).default(768),
});

export type HeadOptions = z.infer<typeof headOptionsSchema>;
