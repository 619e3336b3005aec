import { installedVersion } from '../../base/paths.js';
import { jobName, QUEUE_PROTOCOL } from '../../queue/jobs.js';
import type { WorkerEvent } from '../../queue/worker.js';

const HOW = {
  done: 'done',
  failed: 'failed',
  cancelled: 'cancelled',
  released: 'given back',
  lost: 'lost to another worker',
  waits: 'waits again',
} as const;

/**
 * What happened to a worker, in a line.
 *
 * @param event - what happened
 */
export function workerLine(event: WorkerEvent): string {
  switch (event.kind) {
    case 'device':
      return event.fault === undefined ? `${event.device} is ready` : `${event.device}: ${event.fault}`;
    case 'took': {
      const { suite, person, rounds } = event.job;
      return `${event.device}: job ${jobName(event.job)} of ${suite} for ${person}${rounds > 0 ? `, from round ${rounds} on` : ''}`;
    }
    case 'left': {
      const cells = event.failedCells > 0 ? `, ${event.failedCells} cells failed` : '';
      const reason = event.reason === undefined ? '' : `: ${event.reason}`;
      const time = `in ${event.seconds.toFixed(1)} s, ${(event.seconds - event.workSeconds).toFixed(2)} s of them for the queue`;
      return `${event.device}: job ${event.job} ${HOW[event.how]} ${time}${cells}${reason}`;
    }
    case 'strange': {
      const { jobs, version, protocol } = event;
      const what = jobs === 1 ? '1 job waits' : `${jobs} jobs wait`;
      return `${what} for a worker of EdgeFlex ${version} (queue protocol ${protocol}); this one is ${installedVersion()} (${QUEUE_PROTOCOL}) and leaves ${jobs === 1 ? 'it' : 'them'} alone`;
    }
    case 'freed':
      return `waiting again, because their worker gave no sign of life: ${event.jobs.join(', ')}`;
    case 'away':
      return `${event.reason}; measuring goes on`;
    case 'back':
      return 'the database answers again';
    case 'unsent':
      return `job ${event.job}: kept here until the database takes it (${event.reason})`;
    case 'draining':
      return 'no more jobs are taken';
  }
}
