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
    case 'slowed': {
      const [share, pace] = [disturbance.share, 1 / disturbance.factor].map((each) =>
        format.percent(each, 0),
      );
      return `the core ran at ${pace} % of its usual speed for ${share} % of the time (another virtual machine on the same core, or a lower clock frequency)`;
    }
    case 'throttled':
      return `the processor was throttled (${disturbance.reasons.join(', ')}) while queries were timed`;
  }
}

/** Processor time that others took: `0.8 of a core`, `1.6 cores`. */
function coresText(cores: number): string {
  const text = format.significant(cores, 2);
  return Number(text) === 1 ? '1 core' : `${text} ${cores < 1 ? 'of a core' : 'cores'}`;
}
