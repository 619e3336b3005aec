import { DeviceError, UnsupportedError } from '../base/errors.js';
import type { GraphTarget } from '../base/target.js';
import type { Environment } from '../protocol/environment.js';
import type { AgentEvent } from '../protocol/events.js';
import type { Task } from '../protocol/task.js';
import type { DeviceProfile } from './profile.js';

/** How a task is watched and stopped. */
export interface MeasureOptions {
  /** Receives every event as it comes. */
  onEvent(event: AgentEvent): void;
  /** Ends the agent when it fires. */
  readonly signal: AbortSignal;
  /** The agent is ended, and the task has failed, when it says nothing for so long. */
  readonly silenceMilliseconds: number;
}

/** A device that has been reached: where a task runs and what it runs on. Only the transport differs between devices. */
export interface Device {
  readonly profile: DeviceProfile;
  /**
   * The machine that does the work: `this machine`, `ssh board:22`. Devices of one place are driven one after the other, so that
   * they do not disturb each other; devices of different places side by side.
   */
  readonly place: string;
  readonly environment: Environment;
  /** Why every measurement here will fail, where that is known already: a browser that is missing. */
  readonly fault?: string | undefined;
  /** What a model's graph must be written for to run here. */
  readonly target: GraphTarget;
  /** The session options that a task for this device carries. */
  readonly session: Task['session'];
  /**
   * Does one task in a fresh agent. Paths in the task are the harness's; bringing the files to the device is the device's part.
   *
   * @throws LinkLost when the way to the device broke; UnsupportedError when the device has no kernels for the model;
   *   DeviceError when the agent fails, dies, falls silent or breaks the protocol
   */
  measure(task: Task, options: MeasureOptions): Promise<void>;
  close(): Promise<void>;
}

/** The way to the device broke; the task may succeed when it is given once more. */
export class LinkLost extends DeviceError {}

/** The place of every device that runs on the harness's own machine. */
export const THIS_MACHINE = 'this machine';

/** The error for a task that its agent could not do. */
export function errorOf({ reason, unsupported }: Extract<AgentEvent, { event: 'failed' }>): DeviceError {
  return unsupported ? new UnsupportedError(reason) : new DeviceError(reason);
}
