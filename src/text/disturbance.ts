import type { Disturbance } from '../protocol/disturbance.js';
import * as format from './format.js';

/** What disturbed a timed round, with its figure: a clause. */
export function disturbanceText(disturbance: Disturbance): string {
  switch (disturbance.kind) {
    case 'other-load':
      return `other processes used ${coresText(disturbance.cores)} while queries were timed`;
    case 'moved': {
      const [before, after] = [format.integer(disturbance.before), format.integer(disturbance.after)];
      return `the hypervisor moved the virtual processors: from core to core it took ${before} ns before and ${after} ns after`;
    }
    case 'throttled':
      return `the processor was throttled (${disturbance.reasons.join(', ')}) while queries were timed`;
  }
}

/** Processor time that others took: `0.8 of a core`, `1.6 cores`. */
function coresText(cores: number): string {
  return `${format.significant(cores, 2)} ${cores < 1 ? 'of a core' : 'cores'}`;
}
