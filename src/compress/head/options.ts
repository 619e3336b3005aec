import { z } from 'zod';

/** Options of the `head` stage. */
export const headOptionsSchema = z.strictObject({
  images: z
    .number()
    .int()
    .min(2)
    .default(768)
    .describe('Training images to fit the head on; a third as many more choose the ridge penalty.'),
});

export type HeadOptions = z.infer<typeof headOptionsSchema>;
