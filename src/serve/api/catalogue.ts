import { z } from 'zod';
import { momentSchema, type Contract } from './contract.js';

/** The newest run of something. */
const newestSchema = z.strictObject({ id: z.string(), startedAt: momentSchema });

export const models = {
  method: 'GET',
  path: '/models',
  role: 'read',
  summary: 'Models that runs have measured, by name, with their variants',
  response: z
    .strictObject({
      models: z.array(
        z.strictObject({
          name: z.string(),
          runs: z.number(),
          newest: newestSchema,
          variants: z.array(z.strictObject({ recipe: z.string(), runs: z.number() })),
        }),
      ),
    })
    .meta({ id: 'Models' }),
} as const satisfies Contract;

/** A device of a worker. */
export const fleetDeviceSchema = z
  .strictObject({
    name: z.string(),
    worker: z.string(),
    state: z.enum(['idle', 'busy', 'unreachable', 'draining', 'silent']),
    /** `run/place` of the job that it is busy with. */
    job: z.string().nullable(),
    /** Why it cannot be reached. */
    reason: z.string().nullable(),
    version: z.string(),
    /** When its worker last gave a sign of life. */
    seenAt: momentSchema,
  })
  .meta({ id: 'FleetDevice' });

export const devices = {
  method: 'GET',
  path: '/devices',
  role: 'read',
  summary: 'Devices that runs were measured on, and the devices of the workers',
  response: z
    .strictObject({
      devices: z.array(
        z.strictObject({
          name: z.string(),
          /** Of its newest run; null where nobody knows it. */
          processor: z.string().nullable(),
          runs: z.number(),
          newest: newestSchema,
        }),
      ),
      /** Null where there is no queue. */
      fleet: z.array(fleetDeviceSchema).nullable(),
    })
    .meta({ id: 'Devices' }),
} as const satisfies Contract;
