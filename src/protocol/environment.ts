import { z } from 'zod';
import { untoldSchema } from '../base/untold.js';

/** A WebGPU adapter. */
export const gpuSchema = z.strictObject({
  vendor: z.string().max(200),
  architecture: z.string().max(200),
  device: z.string().max(200),
  description: z.string().max(500),
  /** Whether the processor plays the GPU (SwiftShader, lavapipe): what is timed on it says nothing about a GPU. */
  software: z.boolean(),
  /** As the runtime is told of them. */
  features: z.array(z.string().max(100)).max(200),
  limits: z.record(z.string().max(100), z.number()),
});

export type Gpu = z.infer<typeof gpuSchema>;

/** Older versions wrote 0 of a board that was not there. */
const coreCount = z
  .number()
  .int()
  .nullable()
  .transform((count) => count || null);

/** What a measurement was made on. Two environments are the same only if all of this is. */
export const environmentSchema = z.strictObject({
  cpu: z.strictObject({
    model: z.string(),
    /** Instruction sets that decide which kernels run, out of the processor's flags. */
    features: z.array(z.string()),
    /** Null where nobody tells. */
    physicalCores: coreCount,
    logicalCores: coreCount,
    /** Frequency governor; null where the system does not tell. */
    governor: z.string().nullable(),
    /** MHz; null where the system does not tell. */
    maxFrequency: z.number().nullable(),
    /** What the harness or the agent may use of them; left out where nobody tells, and by older versions. */
    usable: z
      .strictObject({
        /** Logical processors that the affinity allows. */
        processors: z.number().int().positive(),
        /** Cores that these lie on; null where the system does not tell. */
        cores: z.number().int().positive().nullable(),
        /** Processors that a control group pays for, such as 1.5; null without a quota. */
        quota: z.number().positive().nullable(),
      })
      .optional(),
  }),
  /** Null where the device does not tell; older versions wrote 0. */
  memoryBytes: z
    .number()
    .int()
    .nullable()
    .transform((bytes) => bytes || null),
  /** Whether this is a virtual machine or a container. */
  virtual: z.boolean(),
  /** What makes it one, as the system calls it: `KVM`, `Docker`; left out where it does not tell. */
  hypervisor: z.string().max(200).optional(),
  /** Whether it is no such hardware but an emulator; left out where it is not. */
  emulated: z.literal(true).optional(),
  os: z.strictObject({
    platform: z.string(),
    distribution: z.string(),
    release: z.string(),
    kernel: z.string(),
    arch: z.string(),
  }),
  node: z.string(),
  /** The browser that measured. */
  browser: z
    .strictObject({ product: z.string(), userAgent: z.string(), flags: z.array(z.string()) })
    .optional(),
  /** The adapter that WebGPU used. */
  gpu: gpuSchema.optional(),
  versions: z.record(z.string(), z.string()),
  /** The harness's own code, or why its commit is not known; null outside a git checkout. */
  git: z.union([z.strictObject({ commit: z.string(), dirty: z.boolean() }), untoldSchema]).nullable(),
});

export type Environment = z.infer<typeof environmentSchema>;
