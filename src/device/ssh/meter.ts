import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DeviceError, messageOf } from '../../base/errors.js';
import { guideEnvironment } from '../agent-environment.js';
import type { AgentEvent } from '../../protocol/events.js';

const run = promisify(execFile);

/** A meter is asked so often: those of plugs have a new value every second or two. */
const EVERY_MILLISECONDS = 2000;

const PATIENCE_MILLISECONDS = 10_000;

/**
 * Asks a meter for the power that a board takes now.
 *
 * @param command - a program of this machine and its arguments, started without a shell
 * @returns watts
 * @throws DeviceError when it does not print a number first
 */
export async function readMeter(command: readonly string[]): Promise<number> {
  const [program, ...args] = command as [string, ...string[]];
  let text: string;
  try {
    text = (
      await run(program, args, {
        ...{ timeout: PATIENCE_MILLISECONDS, maxBuffer: 64 * 1024, env: guideEnvironment() },
      })
    ).stdout;
  } catch (error) {
    throw new DeviceError(`the meter ${program} failed: ${messageOf(error).trim()}`, { cause: error });
  }
  const watts = /^\s*(\d+(?:\.\d+)?)/.exec(text)?.[1];
  if (watts === undefined)
    throw new DeviceError(
      `the meter ${program} must print the watts that the board takes now; it printed ${JSON.stringify(text.slice(0, 80))}`,
    );
  return Number(watts);
}

/**
 * Reads a meter beside an agent: while it times queries, its events are joined by conditions with the meter's watts. Those the
 * board tells itself are left out then, so that no mean is of two meters.
 */
export class Metering {
  private readonly started = performance.now();
  private readonly end = new AbortController();
  private reading: Promise<void> | undefined;

  constructor(
    private readonly command: readonly string[],
    private readonly onEvent: (event: AgentEvent) => void,
  ) {}

  /** Takes an event of the agent. */
  hear(event: AgentEvent): void {
    // Nothing may follow the agent's last event; the meter may be slow to answer.
    if (event.event === 'finished' || event.event === 'failed') this.end.abort();
    if (event.event === 'conditions')
      this.onEvent({ ...event, conditions: { ...event.conditions, watts: undefined } });
    else this.onEvent(event);
    if (event.event === 'phase' && event.phase === 'warmup') this.reading ??= this.read();
  }

  /** Ends reading. */
  async stop(): Promise<void> {
    this.end.abort();
    await this.reading;
  }

  /** A reading that fails is left out: the meter was right when the run began, and figures do not depend on it. */
  private async read(): Promise<void> {
    for (;;) {
      const watts = await readMeter(this.command).catch(() => undefined);
      const { signal } = this.end;
      if (signal.aborted) return;
      // The agent's clock began when it was started, a moment after ours.
      const at = performance.now() - this.started;
      if (watts !== undefined)
        this.onEvent({ event: 'conditions', phase: 'steady', conditions: { at, watts } });
      await sleep(EVERY_MILLISECONDS, undefined, { signal }).catch(() => undefined);
    }
  }
}
