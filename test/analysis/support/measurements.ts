import type { Random } from '../../../src/base/random.js';
import type { Measurement } from '../../../src/protocol/measurement.js';

const MIB = 2 ** 20;

/** Classes of the example's images. */
export const CLASSES = 10;

/** What agents of a device say of themselves, with every text that is free. */
export interface AgentWords {
  readonly runtime: string;
  readonly provider: string;
  readonly platform: string;
  /** Whether it can tell memory, and that of phases apart. */
  readonly tellsMemory: boolean;
}

const nothing: Omit<Measurement, 'started'> = {
  phases: [],
  conditions: [],
  warmup: undefined,
  latencies: [],
  trials: [],
  logits: [],
  kernels: [],
  nodes: [],
  coreLatencies: [],
};

function started({ runtime, provider, platform, tellsMemory }: AgentWords): Measurement['started'] {
  return {
    event: 'started',
    runtime: { name: runtime, version: '1.30.0', provider },
    platform,
    session: { threads: 2, memoryPattern: false, arena: true, spinning: true },
    memoryMeans: tellsMemory ? 'vmhwm-of-phase' : null,
  };
}

/**
 * A round of timed queries: skewed latencies about a centre that differs from round to round, and memory about another.
 *
 * @param agent - who measured
 * @param typical - latency in milliseconds
 * @param mebibytes - memory that the model takes
 * @param steady - whether the warm-up got there
 * @param random - where the differences come from
 */
export function timedRound(
  agent: AgentWords,
  typical: number,
  mebibytes: number,
  steady: boolean,
  random: Random,
): Measurement {
  const centre = typical * Math.exp(0.02 * random.normal());
  const base = Math.round((60 + random.uniform()) * MIB);
  const over = (share: number): object =>
    agent.tellsMemory
      ? {
          resident: Math.round(base + 0.9 * share * mebibytes * MIB),
          peakResident: Math.round(base + share * (1 + 0.05 * random.uniform()) * mebibytes * MIB),
        }
      : {};
  const queries = 30 + random.integer(20);
  return {
    ...nothing,
    started: started(agent),
    warmup: { queries: 12, steady },
    phases: [
      // What the runtime takes while it is loaded is not the model's.
      {
        phase: 'runtime',
        milliseconds: 80,
        memory: agent.tellsMemory ? { resident: base, peakResident: 900 * MIB } : {},
      },
      {
        phase: 'prepare',
        milliseconds: 5,
        memory: agent.tellsMemory ? { resident: base, peakResident: base + MIB } : {},
      },
      { phase: 'load', milliseconds: 20 + random.uniform(), memory: over(0.7) },
      { phase: 'first', milliseconds: 3 * centre, memory: over(0.9) },
      { phase: 'warmup', milliseconds: 12 * centre, memory: over(0.95) },
      { phase: 'steady', milliseconds: queries * centre, memory: over(1) },
    ],
    latencies: Array.from({ length: queries }, () => centre * Math.exp(Math.abs(0.05 * random.normal()))),
  };
}

/**
 * A pass over test images, whose logits say the given classes.
 *
 * @param agent - who measured
 * @param predicted - class of each image
 * @param typical - latency of a batch in milliseconds
 */
export function scoredRound(agent: AgentWords, predicted: readonly number[], typical: number): Measurement {
  const parts: Measurement['logits'][number][] = [];
  const latencies: number[] = [];
  for (let first = 0; first < predicted.length; first += 64) {
    const part = predicted.slice(first, first + 64);
    const values = Float32Array.from(part.flatMap((choice) => oneHot(choice)));
    parts.push({ first, classes: CLASSES, values });
    latencies.push(typical + first / 1000);
  }
  return { ...nothing, started: started(agent), logits: parts, latencies };
}

/** A pass under the runtime's profiler, with the names that are given to its kernels. */
export function profiledRound(agent: AgentWords, kernels: readonly string[]): Measurement {
  return {
    ...nothing,
    started: started(agent),
    kernels: kernels.map((opType, index) => ({
      opType,
      provider: agent.provider,
      calls: index + 1,
      milliseconds: 4 / (index + 1),
    })),
  };
}

function oneHot(choice: number): number[] {
  return Array.from({ length: CLASSES }, (_, index) => (index === choice ? 4.5 : -0.5));
}
