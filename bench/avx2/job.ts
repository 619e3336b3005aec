import { z } from 'zod';

/** What a process is to do with the kernels that it has. */
export const jobSchema = z.object({
  /** Bytes of images as CIFAR-10's files hold them, without classes. */
  images: z.string(),
  batch: z.number(),
  /** How often each variant is timed, and how often with the profiler; 0 gives one answer and no time. */
  rounds: z.number(),
  profiled: z.number(),
  variants: z.array(
    z.object({ name: z.string(), model: z.string(), preprocess: z.string(), precise: z.boolean() }),
  ),
});

/** What it found of one variant. */
export const foundSchema = z.object({
  name: z.string(),
  precise: z.boolean(),
  /** Digest of its logits of the batch. */
  logits: z.string(),
  /** Processor time of each round's batch, milliseconds. */
  times: z.array(z.number()),
  /** Lower quartiles of the operators' times, summed by operator. */
  operators: z.record(z.string(), z.number()),
});

export type Job = z.infer<typeof jobSchema>;
export type Found = z.infer<typeof foundSchema>;
