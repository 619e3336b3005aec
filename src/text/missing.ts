import * as format from './format.js';
import type { MissingFloor } from '../analysis/compare/floors.js';
import type { MissingCeilings } from '../analysis/figures/limits.js';

/** What it means that nobody measured a device's noise, and how to fix that. */
export function missingFloorText({ device, batches, floor }: MissingFloor): string {
  return (
    `${device} was never calibrated at batch ${batches.join(', ')}: significant differences count from the default of ${format.percent(floor)} %. ` +
    `"edgeflex calibrate" with the profile of ${device} measures its minimum detectable effect.`
  );
}

/** What it means that nobody measured what a device can do at best, and how to fix that. */
export function missingCeilingsText({ kind, device }: MissingCeilings): string {
  const known =
    kind === 'no-ceilings'
      ? `No roofline was measured for ${device}`
      : `The roofline of ${device} was measured in another setup`;
  return (
    `${known}: "edgeflex roofline" with the profile of ${device} measures its peak performance, and the report then shows how ` +
    'close each variant comes to it.'
  );
}
