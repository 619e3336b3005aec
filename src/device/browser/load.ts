import { readdirSync, readFileSync } from 'node:fs';
import { LinuxConditions } from '../../agent/linux-conditions.js';
import type { AgentEvent } from '../../protocol/events.js';

/** The kernel tells processor times in hundredths of a second (USER_HZ, proc(5)). */
const TICK_MILLISECONDS = 10;

/** Between two looks at the machine lies at least so much, in milliseconds: the ticks are too coarse for less. */
const LEAST_MILLISECONDS = 250;

/**
 * Processor time that the processes of a group have taken, those that ended and were waited for included, in milliseconds.
 *
 * @param group - a process group, as that of a browser, which is the first of one of its own
 * @param root - where `proc` lies
 */
export function groupCpuTime(group: number, root = '/'): number {
  let ticks = 0;
  for (const name of readdirSync(`${root}proc`)) {
    if (!/^\d+$/.test(name)) continue;
    let stat: string;
    try {
      stat = readFileSync(`${root}proc/${name}/stat`, 'latin1');
    } catch {
      // It ended.
      continue;
    }
    // The name of a process may hold spaces and parentheses. After it: state, parent, group; user, system, and the same of children
    // are the 14th to 17th field of all (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(fields[2]) !== group) continue;
    ticks += fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
  }
  return ticks * TICK_MILLISECONDS;
}

/**
 * Looks at this machine while a page works, as an agent of Node does by itself: a page sees nothing of the machine. Load of others is
 * what the browser's own processes do not take.
 */
export class PageLoad {
  private readonly begun = performance.now();
  private readonly conditions: LinuxConditions;
  private looked = this.begun;
  private timed = false;

  /**
   * @param group - the browser's process group
   * @param emit - receives what the machine is like
   */
  constructor(
    group: number,
    private readonly emit: (event: AgentEvent) => void,
  ) {
    this.conditions = new LinuxConditions(
      () => performance.now() - this.begun,
      '/',
      () => groupCpuTime(group),
    );
  }

  /**
   * Takes what the page says next, before others hear of it: at the end of a phase, and while queries are timed, the machine is
   * looked at.
   */
  hear(event: AgentEvent): void {
    const since = performance.now() - this.looked;
    if (event.event === 'phase') {
      // The timed queries were over before the page asked for its memory, which keeps the harness busy.
      if (event.phase !== 'steady' || !this.timed) this.look(event.phase);
    } else if (event.event === 'latencies' && since >= LEAST_MILLISECONDS) {
      this.timed = true;
      this.look('steady');
    }
  }

  /** Closes what is open. */
  close(): void {
    this.conditions.close();
  }

  private look(phase: Extract<AgentEvent, { event: 'conditions' }>['phase']): void {
    this.looked = performance.now();
    this.emit({ event: 'conditions', phase, conditions: this.conditions.look() });
  }
}
