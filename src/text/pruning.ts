import type { KeepReason } from '../store/prune.js';

/**
 * Why a run is not deleted.
 *
 * @param reasons - one at least
 */
export function keptText(reasons: readonly KeepReason[]): string {
  return reasons.map(reasonText).join('; ');
}

function reasonText(reason: KeepReason): string {
  switch (reason.kind) {
    case 'newest':
      return reason.keep === 1 ? 'the newest of its suite' : `one of the newest ${reason.keep} of its suite`;
    case 'young':
      return 'not old enough';
    case 'baseline':
      return `baseline ${reason.names.join(', ')}`;
    case 'calibration':
      return 'a calibration in use';
    case 'held':
      return `process ${reason.holder.pid} on ${reason.holder.host} is working on it`;
    case 'resumable':
      return 'interrupted less than a day ago, can be resumed';
  }
}
