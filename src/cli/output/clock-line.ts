import type { ClockEvent } from '../../operations/clock.js';
import { alertSubject } from '../../text/alert.js';

/**
 * What happened by the clock, in a line.
 *
 * @param event - what happened
 */
export function clockLine(event: ClockEvent): string {
  switch (event.kind) {
    case 'time': {
      const { schedule, dueAt, outcome, times, run } = event.time;
      if (outcome === 'submitted') return `schedule ${schedule}: run ${run ?? ''} submitted for ${dueAt}`;
      if (outcome === 'overlapping')
        return `schedule ${schedule}: nothing submitted for ${dueAt}, because the run before has not ended`;
      return `schedule ${schedule}: ${times === 1 ? `${dueAt} was missed` : `${times} times up to ${dueAt} were missed`}, no worker was running`;
    }
    case 'checked': {
      const { schedule, run, content, fault } = event.checked;
      if (fault !== undefined) return `schedule ${schedule}: run ${run} could not be checked: ${fault}`;
      return `schedule ${schedule}: run ${run} checked${content === undefined ? '' : `: ${alertSubject(content)}`}`;
    }
    case 'sent': {
      const { schedule, run, channel, fault, givenUp } = event.sent;
      const what = `schedule ${schedule}: message on run ${run} by ${channel}`;
      if (fault === undefined) return `${what} delivered`;
      return `${what} not delivered: ${fault}; ${givenUp ? 'given up' : 'it is tried again'}`;
    }
    case 'fault':
      return `schedules: ${event.reason}`;
  }
}
