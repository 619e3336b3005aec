import { z } from 'zod';

/**
 * What a device was like at one moment of a task: what tells whether a measurement can be believed. A field is left out where
 * the device does not tell it.
 */
export const conditionsSchema = z.strictObject({
  /** On the agent's clock, in milliseconds. */
  at: z.number().nonnegative(),
  /**
   * Processor time that everything but the agent took since the moment before, as a share of one core: 0.5 is half a core.
   */
  otherLoad: z.number().nonnegative().optional(),
  /** Processor time that a hypervisor gave to others since the moment before, as a share of one core. */
  stolen: z.number().nonnegative().optional(),
  governor: z.string().max(64).optional(),
  /** Frequency of the slowest and the fastest core now, in MHz. */
  slowestCore: z.number().nonnegative().optional(),
  fastestCore: z.number().nonnegative().optional(),
  /** Of the hottest sensor, in degrees Celsius. */
  temperature: z.number().optional(),
  /** What holds the processor back now: `under-voltage`, `frequency capped`. Empty when nothing does. */
  throttling: z.array(z.string().max(64)).max(16).optional(),
  /**
   * How long a step of a computation took that is always the same, in nanoseconds, at moments since the one before: what slows the core
   * without showing in any load shows here.
   */
  paces: z.array(z.number().positive()).max(1024).optional(),
  /** Power the device takes now, in watts. */
  watts: z.number().nonnegative().optional(),
});

export type Conditions = z.infer<typeof conditionsSchema>;
