import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { seededRandom } from '../base/random.js';
import { area } from '../base/size.js';
import { withTemporaryFolder } from '../base/temporary.js';
import type { Device } from '../device/device.js';
import type { Measurement } from '../protocol/measurement.js';
import type { KernelsTask, PerformanceTask } from '../protocol/task.js';
import type { ViTConfig } from '../vit/config.js';
import { phaseMemory } from '../protocol/peak.js';
import { runTask } from './task-runner.js';

/** How long a probe is timed. */
export type ProbeBounds = Pick<
  PerformanceTask,
  'minQueries' | 'minSeconds' | 'maxSeconds' | 'maxWarmupSeconds'
>;

/** What a probe is to tell: latencies and memory, or which kernels run. */
export type ProbeSpec =
  | ({ readonly kind: 'performance' } & ProbeBounds)
  | ({ readonly kind: 'kernels' } & Pick<KernelsTask, 'runs'>);

/** Loading and a few runs: after the second a peak does not grow any more. */
export const A_FEW_RUNS: ProbeSpec = {
  kind: 'performance',
  minQueries: 3,
  minSeconds: 0.001,
  maxSeconds: 30,
  maxWarmupSeconds: 0.001,
};

/** A model file that is to be probed, and a batch on its way through it in parts. */
export interface Probed {
  readonly model: string;
  readonly config: ViTConfig;
  readonly batch: number;
  /** Images the model runs at once; undefined runs the whole batch. */
  readonly microBatch: number | undefined;
}

/**
 * Runs a model on a device outside of any run: for what it takes, not for what it answers. A fresh agent each time.
 *
 * @param device - where
 * @param probed - the model, and how many images in which parts
 * @param spec - what to tell
 * @param signal - ends it
 * @throws DeviceError when the agent fails; the signal's reason when it fires
 */
export async function probe(
  device: Device,
  { model, config, batch, microBatch }: Probed,
  spec: ProbeSpec,
  signal: AbortSignal,
): Promise<Measurement> {
  return withTemporaryFolder('probe', async (folder) => {
    const inputs = join(folder, 'inputs.bin');
    await writeFile(inputs, noise(batch * area(config.imageSize) * config.channels));
    const { channels, imageSize } = config;
    const image = [channels, imageSize.height, imageSize.width];
    const common = { model, inputs, batch, microBatch: Math.min(microBatch ?? batch, batch), image };
    return runTask(device, { ...common, ...spec }, { signal });
  });
}

/**
 * Peak memory of a measurement: see `phaseMemory`.
 *
 * @returns bytes over the runtime's base
 * @throws Error when the device does not tell it
 */
export function peakOfProbe({ started, phases }: Measurement): number {
  const told = new Map(phases.map(({ phase, memory }) => [phase, new Map(Object.entries(memory))]));
  const means = started?.memoryMeans ?? undefined;
  const memory = means && phaseMemory(told, means);
  if (memory === undefined) throw new Error('the device does not report the peak memory of a process');
  return memory.peak;
}

/**
 * Pixels between −1 and 1: images that are all the same would make all tokens alike, which merging sorts by.
 *
 * @param count - how many
 * @returns float32, as a file of inputs has them
 */
export function noise(count: number): Uint8Array {
  const random = seededRandom(1);
  return new Uint8Array(Float32Array.from({ length: count }, () => 2 * random.uniform() - 1).buffer);
}
