import type { Conditions } from './conditions.js';
import type { AgentEvent, Memory, NodeTime, Phase } from './events.js';
import { kernelTimes, type KernelTime } from './kernels.js';

/** One phase of a task. */
export interface PhaseRecord {
  readonly phase: Phase;
  readonly milliseconds: number;
  /** Processor time of the agent; undefined where the device does not tell. */
  readonly cpuMilliseconds?: number | undefined;
  readonly memory: Memory;
}

/** What the device was like at a moment of a phase. */
export interface ConditionsRecord {
  readonly phase: Phase;
  readonly conditions: Conditions;
}

/** Logits of consecutive images. */
export interface LogitsRecord {
  /** The first image. */
  readonly first: number;
  readonly classes: number;
  /** `[images, classes]`. */
  readonly values: Float32Array;
}

/** Queries that were offered in one go, and when each was served: see `ServedQueries` in `stats/load.ts`. */
export interface TrialRecord {
  /** Queries a second; null where all were there from the beginning. */
  readonly rate: number | null;
  /** How many there were to be; fewer were served where the agent ended the trial before. */
  readonly planned: number;
  /** In milliseconds since the trial began, as the next two. */
  readonly scheduled: readonly number[];
  readonly started: readonly number[];
  readonly ended: readonly number[];
}

/** What one task yielded: everything its events said. */
export interface Measurement {
  readonly started: Extract<AgentEvent, { event: 'started' }> | undefined;
  readonly phases: readonly PhaseRecord[];
  /** In the order they were seen. */
  readonly conditions: readonly ConditionsRecord[];
  /** Undefined for tasks without a warm-up. */
  readonly warmup: { readonly queries: number; readonly steady: boolean } | undefined;
  /** Latency of each timed query, in milliseconds, in order. */
  readonly latencies: readonly number[];
  /** In the order they were tried; of tasks of load alone. */
  readonly trials: readonly TrialRecord[];
  readonly logits: readonly LogitsRecord[];
  /** By operator and provider, the longest first. */
  readonly kernels: readonly KernelTime[];
  /** What `kernels` is the sum of. */
  readonly nodes: readonly NodeTime[];
  /** How long a cache line takes from one core to another, in nanoseconds; of a task of placement alone. */
  readonly coreLatencies: readonly number[];
}

/** So many records of a kind are more than any task has: ten minutes of the smallest model are a million queries. */
const MAX_RECORDS = 4_000_000;

/** Gathers a measurement from events as they come; what was said before an agent died is kept. */
export class MeasurementCollector {
  private started: Measurement['started'];
  private warmup: Measurement['warmup'];
  private readonly phases: PhaseRecord[] = [];
  private readonly conditions: ConditionsRecord[] = [];
  private readonly latencies: number[] = [];
  private readonly trials: TrialRecord[] = [];
  private served = noQueries();
  private servedQueries = 0;
  private readonly logits: LogitsRecord[] = [];
  private nodes: readonly NodeTime[] = [];
  private coreLatencies: readonly number[] = [];

  /**
   * Takes the next event.
   *
   * @throws Error when there are more than a task can have, or logits that are no numbers
   */
  add(event: AgentEvent): void {
    const { phases, conditions, latencies, logits, servedQueries } = this;
    if (phases.length + conditions.length + latencies.length + logits.length + servedQueries > MAX_RECORDS)
      throw new Error(`more than ${MAX_RECORDS} records in one task`);
    switch (event.event) {
      case 'started':
        this.started = event;
        break;
      case 'phase':
        this.phases.push({
          ...{ phase: event.phase, milliseconds: event.milliseconds, memory: event.memory },
          cpuMilliseconds: event.cpuMilliseconds,
        });
        break;
      case 'conditions':
        this.conditions.push({ phase: event.phase, conditions: event.conditions });
        break;
      case 'warmedUp':
        this.warmup = { queries: event.queries, steady: event.steady };
        break;
      case 'latencies':
        // One by one: a call cannot take as many arguments as a fast model has queries.
        for (const milliseconds of event.milliseconds) this.latencies.push(milliseconds);
        break;
      case 'served':
        for (const list of ['scheduled', 'started', 'ended'] as const) this.served[list].push(...event[list]);
        this.servedQueries += event.ended.length;
        break;
      case 'trial':
        this.trials.push({ rate: event.rate, planned: event.planned, ...this.served });
        this.served = noQueries();
        break;
      case 'logits':
        this.logits.push({ first: event.first, classes: event.classes, values: decodeFloats(event.values) });
        break;
      case 'kernels':
        this.nodes = event.nodes;
        break;
      case 'placement':
        this.coreLatencies = event.nanoseconds;
        break;
      case 'progress':
      case 'finished':
      case 'failed':
        break;
    }
  }

  /** What was gathered so far. */
  get measurement(): Measurement {
    const { started, warmup, phases, conditions, latencies, trials, logits, nodes, coreLatencies } = this;
    return {
      ...{ started, warmup, phases, conditions, latencies, trials, logits, nodes, coreLatencies },
      kernels: kernelTimes(nodes),
    };
  }
}

/**
 * A measurement with the memory of another of the same model, and none of its own.
 *
 * @param timed - the measurement
 * @param other - a fresh agent's, of a task of memory
 */
export function withMemoryOf(timed: Measurement, other: Measurement): Measurement {
  const memory = new Map(other.phases.map((each) => [each.phase, each.memory]));
  return {
    ...timed,
    started: timed.started && { ...timed.started, memoryMeans: other.started?.memoryMeans ?? null },
    phases: timed.phases.map((each) => ({ ...each, memory: memory.get(each.phase) ?? {} })),
  };
}

/**
 * The class with the largest logit, for each image; −1 where a logit is no number.
 *
 * @param logits - of some images
 */
export function predictedClasses({ classes, values }: LogitsRecord): number[] {
  return Array.from({ length: values.length / classes }, (_, image) => {
    const row = values.subarray(image * classes, (image + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
}

function noQueries(): Record<'scheduled' | 'started' | 'ended', number[]> {
  return { scheduled: [], started: [], ended: [] };
}

function decodeFloats(base64: string): Float32Array {
  return new Float32Array(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
}
