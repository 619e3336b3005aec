import type { RunSummary } from '../store/read.js';

/** How far a run is, in words. */
export function stateText({ state, done, failed, cells, holder }: RunSummary): string {
  switch (state) {
    case 'complete':
      return 'complete';
    case 'partly failed':
      return `${failed} of its ${cells} cells failed`;
    case 'failed':
      return cells === 0
        ? 'stopped before its first cell'
        : `nothing was measured, ${failed} of its ${cells} cells failed`;
    case 'unfinished':
      return `unfinished, ${done} of its ${cells} cells measured`;
    case 'running':
      return `running (process ${holder?.pid} on ${holder?.host}), ${done} of its ${cells} cells measured`;
  }
}
