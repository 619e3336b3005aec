import type { DeviceKind } from '../kind.js';
import { openBrowser } from './device.js';
import { browserSchema, type BrowserProfile } from './profile.js';

/** A browser. */
export const browserKind: DeviceKind<BrowserProfile> = {
  kind: 'browser',
  description: 'A browser, with WebGPU or WebAssembly: every measurement in a separate page.',
  profile: browserSchema,
  open: openBrowser,
  claim: ({ port }) =>
    port === undefined
      ? undefined
      : {
          place: 'port',
          what: `port ${port}`,
          hint: 'Two profiles of one phone need two ports, and a tunnel for each.',
        },
};
