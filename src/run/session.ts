import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../base/temporary.js';
import type { OpenedData } from '../data/kind.js';
import type { Device } from '../device/device.js';
import type { Measurement } from '../protocol/measurement.js';
import type { AgentEvent } from '../protocol/events.js';
import { roundBounds, type Scenario } from '../suite/plan.js';
import type { Artifact } from './artifacts/artifact.js';
import { PlacementWatch } from './placement.js';
import { runTask, type TaskSpec } from './task-runner.js';

/** Warming up ends after this share of the longest measuring time at the latest, and after so many seconds at least. */
const WARMUP_SHARE = 0.5;
const LEAST_WARMUP_SECONDS = 5;

/** Runs under the profiler: enough to average over, few enough to be over soon. */
const PROFILED_RUNS = 5;

/** A device in use by a run: gives tasks to it and gathers what they yield. */
export class DeviceSession {
  /** Where the device's cores lie to each other. */
  readonly placement: PlacementWatch;
  private readonly inputs = new Map<string, Promise<string>>();
  private folder: Promise<string> | undefined;

  /**
   * @param device - the device
   * @param data - where the images are
   * @param scoredImages - how many test images a scenario of accuracy classifies
   * @param signal - ends whatever is going on
   */
  constructor(
    readonly device: Device,
    private readonly data: OpenedData,
    private readonly scoredImages: number,
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
   * @param watch - receives the events
   * @throws DeviceError when the agent fails
   */
  async measure(
    artifact: Artifact,
    microBatch: number | undefined,
    scenario: Scenario,
    watch: (event: AgentEvent) => void,
  ): Promise<Measurement> {
    const { batch } = scenario;
    const common = { model: artifact.model, batch, microBatch: Math.min(microBatch ?? batch, batch) };
    switch (scenario.kind) {
      case 'accuracy': {
        const { preprocess } = artifact;
        return this.perform(
          { kind: 'accuracy', ...common, preprocess, images: this.images(), count: this.scoredImages },
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
        const maxWarmupSeconds = Math.max(LEAST_WARMUP_SECONDS, bounds.maxSeconds * WARMUP_SHARE);
        return this.perform({ kind: 'performance', ...common, inputs, ...bounds, maxWarmupSeconds }, watch);
      }
    }
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
    const key = `${artifact.preprocessing} ${batch}`;
    let inputs = this.inputs.get(key);
    if (inputs === undefined) {
      inputs = this.prepare(artifact.preprocess, batch);
      this.inputs.set(key, inputs);
      inputs.catch(() => this.inputs.delete(key));
    }
    return inputs;
  }

  private async prepare(preprocess: string, batch: number): Promise<string> {
    this.folder ??= temporaryFolder('inputs');
    const output = join(await this.folder, `${this.inputs.size}.bin`);
    const indices = Array.from({ length: batch }, (_, index) => this.imageAt(index));
    await this.perform(
      { kind: 'prepare', preprocess, images: this.images(), indices, output },
      () => undefined,
    );
    return output;
  }

  private images(): { files: { path: string; records: number }[] } {
    return { files: this.data.test.files.map(({ path, records }) => ({ path, records })) };
  }

  private perform(spec: TaskSpec, onEvent: (event: AgentEvent) => void): Promise<Measurement> {
    const { device, signal, data } = this;
    return runTask(device, spec, { signal, onEvent, classes: data.test.labels.length });
  }
}
