import { z } from 'zod';

/** What a measurement was made on. Two environments are the same only if all of this is. */
export const environmentSchema = z.strictObject({
  cpu: z.strictObject({
    model: z.string(),
    /** Instruction sets that decide which kernels run, out of the processor's flags. */
    features: z.array(z.string()),
    physicalCores: z.number().int(),
    logicalCores: z.number().int(),
    /** Frequency governor; null where the system does not tell. */
    governor: z.string().nullable(),
    /** MHz; null where the system does not tell. */
    maxFrequency: z.number().nullable(),
  }),
  memoryBytes: z.number().int(),
  /** Whether this is a virtual machine or a container. */
  virtual: z.boolean(),
  os: z.strictObject({
    platform: z.string(),
    distribution: z.string(),
    release: z.string(),
    kernel: z.string(),
    arch: z.string(),
  }),
  node: z.string(),
  versions: z.record(z.string(), z.string()),
  /** The harness's own code; null outside a git checkout. */
  git: z.strictObject({ commit: z.string(), dirty: z.boolean() }).nullable(),
});

export type Environment = z.infer<typeof environmentSchema>;
