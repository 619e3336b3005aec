import { DeviceError, messageOf } from '../base/errors.js';
import { LinkLost, type Device } from '../device/device.js';
import type { AgentEvent } from '../protocol/events.js';
import { MeasurementCollector, type Measurement } from '../protocol/measurement.js';
import { PROTOCOL_VERSION, type Task } from '../protocol/task.js';
import { incompleteness } from './completeness.js';

/** An agent that says nothing for so long has hung. A query of the largest models takes seconds, loading one some more. */
const SILENCE_MILLISECONDS = 300_000;

/** A task whose link breaks is begun so often: a board that restarts, a radio link that fades. */
const TRIES = 3;

/** A task without what the device adds. */
export type Order = Task extends infer T ? (T extends Task ? Omit<T, 'protocol' | 'session'> : never) : never;

/**
 * Does a task on a device, in a fresh agent; one whose link broke is done again from its beginning.
 *
 * @param device - where
 * @param order - what to do
 * @param signal - ends it
 * @param watch - receives the events
 * @returns what it yielded
 * @throws DeviceError when the agent fails or its measurement is not whole; the signal's reason when it fires
 */
export async function perform(
  device: Device,
  order: Order,
  signal: AbortSignal,
  watch: (event: AgentEvent) => void = () => undefined,
): Promise<Measurement> {
  const task = { ...order, protocol: PROTOCOL_VERSION, session: device.session } as Task;
  for (let left = TRIES; ; left--) {
    try {
      return await attempt(device, task, signal, watch);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof LinkLost && left > 1) continue;
      if (error instanceof LinkLost) throw new DeviceError(`${error.message} (${TRIES} times)`);
      throw error instanceof DeviceError ? error : new DeviceError(messageOf(error));
    }
  }
}

async function attempt(
  device: Device,
  task: Task,
  signal: AbortSignal,
  watch: (event: AgentEvent) => void,
): Promise<Measurement> {
  const collector = new MeasurementCollector();
  await device.measure(task, {
    onEvent: (event) => {
      collector.add(event);
      watch(event);
    },
    signal,
    silenceMilliseconds: SILENCE_MILLISECONDS,
  });
  const fault = incompleteness(task, collector.measurement);
  if (fault !== undefined) throw new DeviceError(`the agent broke the protocol: ${fault}`);
  return collector.measurement;
}
