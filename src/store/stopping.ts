import { z } from 'zod';

/** Why no further rounds of a cell were measured, when there was no fixed number of them. */
export const stoppingSchema = z.strictObject({
  /** `precision`: the speed is known as well as was asked for. `cap`: no more rounds, or no more time, were allowed. */
  reason: z.enum(['precision', 'cap']),
  /** Half of the width of the speed's 95 % interval that was asked for, as a share of the speed: 0.01 for ± 1 %. */
  asked: z.number().positive(),
  /** The one that was reached; null where rounds are too few for an interval, or others disturbed most of them. */
  reached: z.number().nonnegative().nullable(),
});

export type Stopping = z.infer<typeof stoppingSchema>;
