import { z } from 'zod';
import { commonFields, type DeviceKind } from '../kind.js';
import { checkLocal } from './check.js';
import { openLocal } from './device.js';

const localSchema = z.strictObject({ kind: z.literal('local'), ...commonFields });

/** The profile of this machine's processor. */
export type LocalProfile = z.infer<typeof localSchema>;

/** This machine's processor. */
export const localKind: DeviceKind<LocalProfile> = {
  kind: 'local',
  description: 'The CPU of this machine: every measurement in a separate process.',
  profile: localSchema,
  open: (profile) => openLocal(profile),
  check: checkLocal,
};

/**
 * The profile of this machine's processor as it is without a file.
 *
 * @param changes - what differs
 */
export function localProfile(changes: Partial<LocalProfile> = {}): LocalProfile {
  return { ...localSchema.parse({ name: 'local-cpu', kind: 'local' }), ...changes };
}
