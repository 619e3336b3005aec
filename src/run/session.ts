import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError } from '../base/errors.js';
import { hashJson } from '../base/hash.js';
import { temporaryFolder } from '../base/temporary.js';
import type { OpenedData } from '../data/kind.js';
import { channelsOf } from '../data/preprocess.js';
import { scoredRecords } from '../data/records.js';
import { drawTrainingImages } from '../data/training-images.js';
import type { Device } from '../device/device.js';
import { withMemoryOf, type LogitsRecord, type Measurement } from '../protocol/measurement.js';
import type { AccuracyTask, PerformanceTask } from '../protocol/task.js';
import type { AgentEvent } from '../protocol/events.js';
import { seededRandom } from '../base/random.js';
import { MOST_NEEDED_QUERIES, poissonArrivals } from '../stats/load.js';
import { roundBounds, type Scenario } from '../suite/plan.js';
import { serverTiers, type Tier } from '../suite/schema.js';
import type { Artifact } from './artifacts/artifact.js';
import { writeBank, type Bank } from './bank.js';
import { outputsOf, type EmbeddedBank } from './embeddings.js';
import { sessionOf } from './exact-products.js';
import { PlacementWatch } from './placement.js';
import { runTask, type TaskSpec, type Watch } from './task-runner.js';

/** Warming up ends after this share of the longest measuring time at the latest, and after so many seconds at least. */
const WARMUP_SHARE = 0.5;
const LEAST_WARMUP_SECONDS = 5;

/** At tier smoke, which shows that a cell runs and not how fast, nothing waits for a steady state. */
const SMOKE_WARMUP_SECONDS = 0.05;

/** Runs under the profiler: enough to average over, few enough to be over soon. */
const PROFILED_RUNS = 5;

/** After the first run, enough to see what stays: V8's baseline compiler runs a model some times slower. */
const MEMORY_BOUNDS = { runs: 3, maxSeconds: 10 };

/** A device in use by a run: gives tasks to it and gathers what they yield. */
export class DeviceSession {
  /** Where the device's cores lie to each other. */
  readonly placement: PlacementWatch;
  private readonly inputs = new Map<string, Promise<string>>();
  private readonly banks = new Map<string, Promise<Bank>>();
  private folder: Promise<string> | undefined;

  /**
   * @param device - the device
   * @param data - where the images are
   * @param scoredImages - how many test images a scenario of accuracy classifies
   * @param seed - the suite's: determines when queries arrive
   * @param signal - ends whatever is going on
   */
  constructor(
    readonly device: Device,
    private readonly data: OpenedData,
    private readonly scoredImages: number,
    private readonly seed: number,
    private readonly signal: AbortSignal,
  ) {
    this.placement = new PlacementWatch(device, signal);
  }

  /**
   * Measures a variant in a scenario, in a fresh agent.
   *
   * @param artifact - the variant's files
   * @param microBatch - images the model runs at once; undefined runs the whole batch
   * @param scenario - what to measure
   * @param round - its number, which determines when queries arrive: at the same moments for every variant on every device
   * @param watch - receives the events
   * @throws DeviceError when the agent fails
   */
  async measure(
    artifact: Artifact,
    microBatch: number | undefined,
    scenario: Scenario,
    round: number,
    watch: (event: AgentEvent) => void,
  ): Promise<Measurement> {
    const measurement = await this.task(artifact, microBatch, scenario, round, watch);
    const { order } = artifact;
    if (order === undefined) return measurement;
    return { ...measurement, logits: measurement.logits.map((logits) => inOrder(logits, order)) };
  }

  private async task(
    artifact: Artifact,
    microBatch: number | undefined,
    scenario: Scenario,
    round: number,
    onEvent: (event: AgentEvent) => void,
  ): Promise<Measurement> {
    const { batch } = scenario;
    const { raw } = artifact;
    const common = batchesOf(this.device, artifact, microBatch, batch);
    const watch = { onEvent, classes: raw?.classes ?? artifact.embedding ?? this.data.test.labels.length };
    switch (scenario.kind) {
      case 'accuracy': {
        const { preprocess } = artifact;
        const images = await this.images(artifact);
        return this.perform(
          { kind: 'accuracy', ...common, preprocess, images, count: this.scoredImages },
          watch,
        );
      }
      case 'kernels': {
        const inputs = await this.preparedInputs(artifact, batch);
        return this.perform({ kind: 'kernels', ...common, inputs, runs: PROFILED_RUNS }, watch);
      }
      case 'performance': {
        const inputs = await this.preparedInputs(artifact, batch);
        const bounds = roundBounds(scenario.tier, scenario.rounds);
        const maxWarmupSeconds = longestWarmup(scenario.tier, bounds.maxSeconds);
        return this.perform({ kind: 'performance', ...common, inputs, ...bounds, maxWarmupSeconds }, watch);
      }
      case 'offline': {
        const inputs = await this.preparedInputs(artifact, batch);
        const bounds = roundBounds(scenario.tier, scenario.rounds);
        const maxWarmupSeconds = longestWarmup(scenario.tier, bounds.maxSeconds);
        return this.perform({ kind: 'offline', ...common, inputs, ...bounds, maxWarmupSeconds }, watch);
      }
      case 'server': {
        const inputs = await this.preparedInputs(artifact, batch);
        const { queries, maxSeconds } = serverTiers[scenario.tier];
        const maxWarmupSeconds = longestWarmup(scenario.tier, maxSeconds);
        // Beside the streams of the same seed that determine the order of the rounds.
        const random = seededRandom(this.seed - 2 ** 32 * (round + 1));
        const arrivals = poissonArrivals(Math.max(queries, MOST_NEEDED_QUERIES), random);
        const { p99 } = scenario;
        return this.perform(
          { kind: 'server', ...common, inputs, arrivals, queries, p99, maxSeconds, maxWarmupSeconds },
          watch,
        );
      }
    }
  }

  /**
   * Embeddings of training images by a variant that gives embeddings, in a fresh agent: what those of test images are held against.
   *
   * @param artifact - the variant's files
   * @param microBatch - images the model runs at once; undefined runs the whole batch
   * @param batch - images in a batch
   * @param images - how many training images
   * @param onEvent - receives the events
   * @throws DeviceError when the agent fails, or gives what is no number
   */
  async bank(
    artifact: Artifact,
    microBatch: number | undefined,
    batch: number,
    images: number,
    onEvent: (event: AgentEvent) => void,
  ): Promise<EmbeddedBank> {
    const { records, classes } = await this.bankImages(artifact, images);
    const { preprocess, embedding } = artifact;
    const measurement = await this.perform(
      {
        ...{ kind: 'accuracy', ...batchesOf(this.device, artifact, microBatch, batch), preprocess },
        images: { layout: records.layout, files: [...records.files] },
        count: classes.length,
      },
      { onEvent, ...(embedding !== undefined && { classes: embedding }) },
    );
    const { values } = outputsOf(measurement);
    if (!values.every((value) => Number.isFinite(value)))
      throw new DeviceError('an embedding of a training image holds what is no finite number');
    return { values, classes };
  }

  /**
   * What a model that was timed takes in memory, where the device tells that by a task of its own.
   *
   * @param artifact - the variant's files
   * @param microBatch - images the model runs at once; undefined runs the whole batch
   * @param batch - images in a batch
   * @param timed - what timing it yielded
   * @returns that with the memory in place of its own; as it was where the device tells both at once
   * @throws DeviceError when the agent fails
   */
  async withMemory(
    artifact: Artifact,
    microBatch: number | undefined,
    batch: number,
    timed: Measurement,
  ): Promise<Measurement> {
    if (this.device.tellsMemoryApart !== true) return timed;
    const inputs = await this.preparedInputs(artifact, batch);
    const memory = await this.perform({
      ...{ kind: 'memory', ...batchesOf(this.device, artifact, microBatch, batch), inputs, ...MEMORY_BOUNDS },
    });
    return withMemoryOf(timed, memory);
  }

  /**
   * The test image at an index of a batch: the first that are scored, around again where there are too few.
   *
   * @param index - in the batch
   */
  imageAt(index: number): number {
    return index % this.scoredImages;
  }

  /** Frees the device and removes what the session left on it. */
  async close(): Promise<void> {
    try {
      await this.device.close();
    } finally {
      if (this.folder) await rm(await this.folder, { recursive: true, force: true });
    }
  }

  /** The preprocessed batch, made once for each preprocessing and batch size. */
  private preparedInputs(artifact: Artifact, batch: number): Promise<string> {
    const key = `${hashJson(artifact.preprocessing)} ${batch}`;
    let inputs = this.inputs.get(key);
    if (inputs === undefined) {
      inputs = this.prepare(artifact, batch);
      this.inputs.set(key, inputs);
      inputs.catch(() => this.inputs.delete(key));
    }
    return inputs;
  }

  private async prepare(artifact: Artifact, batch: number): Promise<string> {
    this.folder ??= temporaryFolder('inputs');
    const output = join(await this.folder, `${this.inputs.size}.bin`);
    const indices = Array.from({ length: batch }, (_, index) => this.imageAt(index));
    await this.perform({
      kind: 'prepare',
      preprocess: artifact.preprocess,
      images: await this.images(artifact),
      indices,
      output,
    });
    return output;
  }

  /** The training images of the bank, drawn once for each preprocessing. */
  private bankImages({ preprocessing }: Artifact, count: number): Promise<Bank> {
    const key = `${hashJson(preprocessing)} ${count}`;
    let bank = this.banks.get(key);
    if (bank === undefined) {
      bank = this.drawBank(preprocessing, count, `bank-${this.banks.size}.bin`);
      this.banks.set(key, bank);
      bank.catch(() => this.banks.delete(key));
    }
    return bank;
  }

  private async drawBank(
    preprocessing: Artifact['preprocessing'],
    count: number,
    name: string,
  ): Promise<Bank> {
    this.folder ??= temporaryFolder('inputs');
    const path = join(await this.folder, name);
    const { data, seed, signal } = this;
    const drawn = await drawTrainingImages(data.train, preprocessing, count, seed, 0, { signal });
    return writeBank(drawn, path, signal);
  }

  /**
   * The test images that are scored, as an artifact takes them.
   *
   * @throws InputError when an image cannot be read
   */
  async images({ preprocessing }: Artifact): Promise<AccuracyTask['images']> {
    const { records } = await scoredRecords(this.data.test, preprocessing, this.scoredImages, {
      signal: this.signal,
    });
    return {
      layout: records.layout,
      files: records.files.map(({ path, records: count }) => ({ path, records: count })),
    };
  }

  private perform(spec: TaskSpec, watch: Omit<Watch, 'signal'> = {}): Promise<Measurement> {
    const { device, signal } = this;
    return runTask(device, spec, { ...watch, signal });
  }
}

/** What every task with a model says of it and its batches. */
type Batches = Pick<
  PerformanceTask,
  'model' | 'session' | 'batch' | 'microBatch' | 'image' | 'output' | 'wholeParts' | 'freeDimensions'
>;

function batchesOf(
  device: Device,
  artifact: Artifact,
  microBatch: number | undefined,
  batch: number,
): Batches {
  const { model, raw, preprocessing } = artifact;
  const { height, width } = preprocessing.size;
  const image = [channelsOf(preprocessing), height, width];
  const session = sessionOf(device, artifact);
  const common = { model, session, batch, microBatch: microBatch ?? batch, image };
  if (raw === undefined) return common;
  const { output, batch: fixed, freeAxes } = raw;
  // WebGPU has no kernels for what graphs compute of shapes that they leave open; once they are known, nothing is computed of them.
  const open = device.target === 'cpu' ? [] : named(freeAxes, [common.microBatch, ...image]);
  return {
    ...{ ...common, output },
    ...((fixed !== null || open.length > 0) && { wholeParts: true }),
    ...(open.length > 0 && { freeDimensions: Object.fromEntries(open) }),
  };
}

/** The axes that have names, and their lengths. */
function named(axes: readonly (string | null)[], lengths: readonly number[]): [string, number][] {
  return axes.flatMap((name, axis): [string, number][] => {
    const length = lengths[axis];
    return name === null || length === undefined ? [] : [[name, length]];
  });
}

/** Logits in the order of the images' classes. */
function inOrder({ first, classes, values }: LogitsRecord, order: readonly number[]): LogitsRecord {
  return {
    ...{ first, classes },
    values: values.map((_, at) => {
      const column = at % classes;
      return values[at - column + (order[column] ?? column)] ?? NaN;
    }),
  };
}

/** Seconds of a warm-up at most, before queries are timed for so many. */
function longestWarmup(tier: Tier, maxSeconds: number): number {
  return tier === 'smoke' ? SMOKE_WARMUP_SECONDS : Math.max(LEAST_WARMUP_SECONDS, maxSeconds * WARMUP_SHARE);
}
