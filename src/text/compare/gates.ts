import type { GateReason } from '../../analysis/compare/gates.js';
import { obstacleText } from './obstacles.js';
import { amount, inWords, metricNames } from './words.js';

/** What decided a gate, in words that follow a colon. */
export function gateReasonText(because: GateReason): string {
  switch (because.kind) {
    case 'judged':
      return inWords(because.judgement);
    case 'not-excluded': {
      const { judgement, limit, blunt } = because;
      const { metric, floor = 0 } = judgement;
      const why = blunt
        ? `; the gate is finer than the minimum detectable effect of this device (${amount(metric, floor)})`
        : '';
      return `${inWords(judgement)}, which does not rule out ${amount(metric, limit)}${why}`;
    }
    case 'not-compared':
      return obstacleText(because.obstacle);
    case 'is-the-measure':
      return `${inWords(because.judgement)}; the latencies of the other variants are judged relative to it`;
    case 'not-confirmed': {
      const { judgement, again } = because;
      return `${inWords(judgement)}, not confirmed when measured again: ${gateReasonText(again)}`;
    }
    case 'nothing-compared':
      return `nothing whose ${metricNames[because.metric]} could be compared`;
  }
}
