import * as format from './format.js';
import type { MissingFloor } from '../analysis/compare/floors.js';
import type { MissingCeilings } from '../analysis/figures/limits.js';

/** What it means that nobody measured a device's noise, and how to mend that. */
export function missingFloorText({ device, batches, floor }: MissingFloor): string {
  return (
    `No noise floor is known for ${device} at batch ${batches.join(', ')}: significant differences count from ${format.percent(floor)} % on, the default. ` +
    `"edgeflex calibrate" with the profile of ${device} measures the smallest difference it can detect.`
  );
}

/** What it means that nobody measured what a device can do at best, and how to mend that. */
export function missingCeilingsText({ kind, device }: MissingCeilings): string {
  const known =
    kind === 'no-ceilings'
      ? `No ceilings are known for ${device}`
      : `The known ceilings of ${device} were measured in another setting`;
  return (
    `${known}: "edgeflex roofline" with the profile of ${device} measures what it can do at best, and the report then says how ` +
    'far each variant is from that.'
  );
}
