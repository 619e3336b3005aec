import { DeviceError, messageOf, UnsupportedError } from '../base/errors.js';
import type { GraphTarget } from '../base/target.js';
import type { Environment } from '../protocol/environment.js';
import type { AgentEvent } from '../protocol/events.js';
import type { RootFailure } from '../protocol/failure.js';
import type { Task } from '../protocol/task.js';
import type { DeviceProfile } from './kind.js';

/** How a task is watched and stopped. */
export interface MeasureOptions {
  /** Receives every event as it comes. */
  onEvent(event: AgentEvent): void;
  /** Ends the agent when it fires. */
  readonly signal: AbortSignal;
  /** The agent is ended, and the task has failed, when it says nothing for so long. */
  readonly silenceMilliseconds: number;
}

/** What a model may take on a device, in bytes; what is undefined has no limit that is known. */
export interface DeviceLimits {
  /** The whole file. */
  readonly model?: number;
  /** The largest constant. */
  readonly weight?: number;
}

/** A device that has been reached: where a task runs and what it runs on. Only the transport differs between devices. */
export interface Device {
  readonly profile: DeviceProfile;
  /**
   * The machine that does the work: `this machine`, `ssh board:22`. Devices of one host are driven one after the other, so that
   * they do not disturb each other; devices of different hosts side by side.
   */
  readonly host: string;
  readonly environment: Environment;
  /** Why every measurement here will fail, where that is known already: a browser that is missing. */
  readonly fault?: string | undefined;
  /** What a model's graph must be written for to run here. */
  readonly target: GraphTarget;
  /** Whether its agent is a process of Node, which can look at where the processor's cores lie to each other. */
  readonly runsNode?: true;
  /** Whether no peak of memory is told, as by pages: searches for what fits have nothing to go by. */
  readonly hidesPeak?: boolean;
  /**
   * Whether memory is told by a task of its own (`memory`): what an agent holds that times a model, is not the model's alone. A browser's
   * compiler takes as much as a small model.
   */
  readonly tellsMemoryApart?: boolean;
  /** What no model may exceed here, where that is known. */
  readonly limits?: DeviceLimits;
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

/** An agent failed, and what is known of how. */
export class AgentError extends DeviceError {
  constructor(
    message: string,
    readonly failure: RootFailure,
  ) {
    super(message);
  }
}

/** The way to the device broke; the task may succeed when it is given once more. */
export class LinkLost extends DeviceError {}

/** The host of every device that runs on the harness's own machine. */
export const THIS_MACHINE = 'this machine';

/** The error for a task that its agent could not do. */
export function errorOf({ reason, unsupported }: Extract<AgentEvent, { event: 'failed' }>): DeviceError {
  return unsupported
    ? new UnsupportedError(reason)
    : new AgentError(reason, { kind: 'agent-failed', text: reason });
}

/**
 * The error for an agent that says what cannot be.
 *
 * @param error - what its messages were refused with
 */
export function protocolBroken(error: unknown): AgentError {
  const text = messageOf(error);
  return new AgentError(`the agent broke the protocol: ${text}`, { kind: 'protocol-broken', text });
}

/** The error for an agent that says nothing new. */
export function agentSilent(milliseconds: number): AgentError {
  const seconds = Math.round(milliseconds / 1000);
  return new AgentError(`the agent said nothing new for ${seconds} s`, { kind: 'agent-silent', seconds });
}

/**
 * Why a device could not do a task: what its error knows.
 *
 * @param error - of the device
 */
export function failureOf(error: DeviceError): RootFailure {
  if (error instanceof AgentError) return error.failure;
  return { kind: error instanceof UnsupportedError ? 'no-kernels' : 'device', text: error.message };
}
