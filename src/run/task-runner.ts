import { seededRandom, shuffled } from '../base/random.js';
import { AgentError, LinkLost, protocolBroken, type Device } from '../device/device.js';
import { ConversationCheck } from '../protocol/conversation.js';
import { ProtocolError } from '../protocol/protocol-error.js';
import type { AgentEvent } from '../protocol/events.js';
import { MeasurementCollector, type Measurement } from '../protocol/measurement.js';
import { PROTOCOL_VERSION, type Task } from '../protocol/task.js';

/** An agent that says nothing new for so long has hung. A query of the largest models takes seconds, loading one some more. */
const SILENCE_MILLISECONDS = 300_000;

/** A task whose link breaks is begun so often: a board that restarts, a radio link that fades. */
const TRIES = 3;

/** What to do on a device, without what the device adds; session options where they are not the device's own. */
export type TaskSpec = Task extends infer T
  ? T extends Task
    ? Omit<T, 'protocol' | 'session'> & Partial<Pick<T, 'session'>>
    : never
  : never;

/** How a task is watched. */
export interface Watch {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Receives the events. */
  readonly onEvent?: (event: AgentEvent) => void;
  /** How many classes the logits must have; undefined where nobody knows. */
  readonly classes?: number;
}

/**
 * Does a task on a device, in a fresh agent: the one way in which anything is measured. One whose link broke is done again from
 * its beginning.
 *
 * @param device - where
 * @param spec - what to do
 * @param watch - what ends it and who hears of it
 * @returns what it yielded
 * @throws DeviceError when the agent fails or what it says cannot be; the signal's reason when it fires
 */
export async function runTask(device: Device, spec: TaskSpec, watch: Watch): Promise<Measurement> {
  // The spread of a union is not known to be one.
  const task = { session: device.session, ...spec, protocol: PROTOCOL_VERSION } as Task;
  for (let left = TRIES; ; left--) {
    try {
      return await attempt(device, task, watch);
    } catch (error) {
      watch.signal.throwIfAborted();
      if (!(error instanceof LinkLost)) throw error;
      if (left > 1) continue;
      const { message: text } = error;
      throw new AgentError(`${text} (${TRIES} times)`, { kind: 'link-lost', tries: TRIES, text });
    }
  }
}

async function attempt(
  device: Device,
  task: Task,
  { signal, onEvent, classes }: Watch,
): Promise<Measurement> {
  const collector = new MeasurementCollector();
  const check = new ConversationCheck(task, classes);
  const late = new Deadline(longestSeconds(task));
  try {
    await device.measure(task, {
      onEvent: (event) => {
        late.begin();
        check.hear(event);
        collector.add(event);
        onEvent?.(event);
      },
      signal: AbortSignal.any([signal, late.signal]),
      silenceMilliseconds: SILENCE_MILLISECONDS,
    });
    check.end();
  } catch (error) {
    throw error instanceof ProtocolError ? protocolBroken(error) : error;
  } finally {
    late.end();
  }
  return collector.measurement;
}

/** Ends a task that goes on for longer than it can take, counted from the first word of its agent. */
class Deadline {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly seconds: number) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  begin(): void {
    const { seconds } = this;
    this.timer ??= setTimeout(
      () => {
        const reason = { kind: 'task-too-long', seconds } as const;
        this.controller.abort(new AgentError(`the task went on for more than ${seconds} s`, reason));
      },
      Math.min(seconds * 1000, LONGEST_TIMER),
    );
  }

  end(): void {
    clearTimeout(this.timer);
  }
}

/** Longer than this, in milliseconds, a timer fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** A look at the placement is over in a second; a slow board takes a while to start Node. */
const PLACEMENT_SECONDS = 60;

/**
 * The longest that a task can take, in seconds: no part of it, a phase or a batch of images, is longer than an agent may be
 * silent, but for those whose time the task itself bounds.
 */
function longestSeconds(task: Task): number {
  const silence = SILENCE_MILLISECONDS / 1000;
  const phases = 6;
  switch (task.kind) {
    case 'placement':
      return PLACEMENT_SECONDS;
    case 'prepare':
    case 'memory':
    case 'kernels':
      return phases * silence;
    case 'accuracy':
      return (phases + Math.ceil(task.count / task.batch)) * silence;
    case 'performance':
    case 'server':
    case 'offline':
      return phases * silence + task.maxWarmupSeconds + task.maxSeconds;
  }
}

/** A turn of an item in one of several rounds. */
export interface Turn<T> {
  readonly item: T;
  readonly round: number;
  /** Share of the turns that come before it, 0 … 1. */
  readonly done: number;
}

/**
 * Items in turn: in each round every one once, in a new random order, so that what disturbs the device disturbs all alike.
 *
 * @param items - what has a turn
 * @param rounds - how often
 * @param seed - determines the order
 * @param signal - ends it, with its reason
 */
export function* interleaved<T>(
  items: readonly T[],
  rounds: number,
  seed: number,
  signal: AbortSignal,
): Generator<Turn<T>> {
  const random = seededRandom(seed);
  let turns = 0;
  for (let round = 0; round < rounds; round++)
    for (const item of shuffled(items, random)) {
      signal.throwIfAborted();
      yield { item, round, done: turns++ / (rounds * items.length) };
    }
}
