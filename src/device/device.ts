import type { Environment } from '../protocol/environment.js';
import type { AgentEvent } from '../protocol/events.js';
import type { Task } from '../protocol/task.js';
import type { DeviceProfile } from './profile.js';

/** A task as the harness writes it: the protocol's version and the session's options are the device's to add. */
export type DeviceTask<T extends Task = Task> = T extends Task ? Omit<T, 'protocol' | 'session'> : never;

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
  readonly environment: Environment;
  /** Threads the runtime gets there. */
  readonly threads: number;
  /**
   * Does one task in a fresh agent. Paths in the task are the harness's; bringing the files to the device is the device's part.
   *
   * @throws DeviceError when the agent fails, dies, falls silent or breaks the protocol
   */
  measure(task: DeviceTask, options: MeasureOptions): Promise<void>;
  close(): Promise<void>;
}
