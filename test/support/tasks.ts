import type { Device } from '../../src/device/device.js';
import { openLocal } from '../../src/device/local/device.js';
import { localProfile } from '../../src/device/local/kind.js';
import type { AgentEvent } from '../../src/protocol/events.js';
import { MeasurementCollector, type Measurement } from '../../src/protocol/measurement.js';
import { PROTOCOL_VERSION, type PerformanceTask, type Task } from '../../src/protocol/task.js';

/** The session that tests' tasks ask for. */
export const taskBase = { protocol: PROTOCOL_VERSION, session: { threads: 1 } } as const;

/** Bounds of a timed pass that is over at once. */
export const shortPass = { minQueries: 5, minSeconds: 0.1, maxSeconds: 5, maxWarmupSeconds: 0.3 };

/** Bounds of a timed pass that no test waits for. */
export const longPass = { minQueries: 5, minSeconds: 300, maxSeconds: 300, maxWarmupSeconds: 1 };

/** This machine with one thread. */
export function openTestDevice(): Promise<Device> {
  return openLocal(localProfile({ name: 'here', threads: 1 }));
}

/** A task that times a model. */
export function timing(
  model: string,
  inputs: string,
  batch: number,
  bounds: Pick<PerformanceTask, 'minQueries' | 'minSeconds' | 'maxSeconds' | 'maxWarmupSeconds'>,
): PerformanceTask {
  return { kind: 'performance', ...taskBase, model, inputs, batch, microBatch: batch, ...bounds };
}

/** How a test watches a task. */
export interface Watch {
  readonly signal?: AbortSignal;
  readonly silenceMilliseconds?: number;
  readonly onEvent?: (event: AgentEvent) => void;
}

/** What a task yielded, and its events as they came. */
export interface Performed {
  readonly measurement: Measurement;
  readonly events: readonly AgentEvent[];
}

/** Does a task in a real agent. */
export async function perform(device: Device, task: Task, watch: Watch = {}): Promise<Performed> {
  const collector = new MeasurementCollector();
  const events: AgentEvent[] = [];
  await device.measure(task, {
    signal: watch.signal ?? new AbortController().signal,
    silenceMilliseconds: watch.silenceMilliseconds ?? 60_000,
    onEvent: (event) => {
      events.push(event);
      collector.add(event);
      watch.onEvent?.(event);
    },
  });
  return { measurement: collector.measurement, events };
}
