import { resolve } from 'node:path';
import type { DeviceKind } from '../kind.js';
import { openBoard } from './absent.js';
import { checkBoard, describeBoard } from './check.js';
import { cleanBoard } from './clean.js';
import { sshSchema, type SshProfile } from './profile.js';
import { hostOf, resolveTarget } from './target.js';

/** A board that is reached over SSH. */
export const sshKind: DeviceKind<SshProfile> = {
  kind: 'ssh',
  description: 'A Linux board, reached over SSH: the agent is copied there.',
  profile: sshSchema,
  open: openBoard,
  resolve: (profile, folder) =>
    profile.config === undefined ? profile : { ...profile, config: resolve(folder, profile.config) },
  // Two aliases of one board are one host: its files are brought by one at a time.
  host: ({ host, config }) => resolveTarget({ host, config }).then(hostOf, () => host),
  reachedBy: ({ host }) => `ssh ${host}`,
  check: checkBoard,
  describe: describeBoard,
  clean: cleanBoard,
};
