import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '../base/random.js';
import type { Device } from '../device/device.js';
import { MeasurementCollector, type Measurement } from '../protocol/measurement.js';
import { PROTOCOL_VERSION, type PerformanceTask } from '../protocol/task.js';
import type { ViTConfig } from '../vit/config.js';

/** How long a probe runs. */
export type ProbeBounds = Pick<
  PerformanceTask,
  'minQueries' | 'minSeconds' | 'maxSeconds' | 'maxWarmupSeconds'
>;

/** A batch on its way through a model in parts. */
export interface ProbeBatch {
  readonly batch: number;
  /** Images the model runs at once; undefined runs the whole batch. */
  readonly microBatch: number | undefined;
}

/**
 * Runs a model on a device outside of any run: for what it takes, not for what it answers. A fresh agent each time.
 *
 * @param device - where
 * @param model - the model's file
 * @param config - its architecture
 * @param batch - how many images, and in which parts
 * @param bounds - how long
 * @param signal - ends it
 * @throws DeviceError when the agent fails
 */
export async function probe(
  device: Device,
  model: string,
  config: ViTConfig,
  { batch, microBatch }: ProbeBatch,
  bounds: ProbeBounds,
  signal: AbortSignal,
): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-probe-'));
  try {
    const inputs = join(folder, 'inputs.bin');
    await writeFile(inputs, noise(batch * config.channels * config.imageSize ** 2));
    const collector = new MeasurementCollector();
    await device.measure(
      {
        kind: 'performance',
        protocol: PROTOCOL_VERSION,
        session: device.session,
        ...{ model, inputs, batch, microBatch: Math.min(microBatch ?? batch, batch) },
        ...bounds,
      },
      {
        onEvent: (event) => {
          collector.add(event);
        },
        signal,
        silenceMilliseconds: 300_000,
      },
    );
    return collector.measurement;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Peak memory of a measurement over the runtime's base, in bytes.
 *
 * @throws Error when the device does not tell it
 */
export function peakOverBase({ phases }: Measurement): number {
  const base = phases.find(({ phase }) => phase === 'prepare')?.memory.resident;
  const peaks = phases
    .slice(phases.findIndex(({ phase }) => phase === 'load'))
    .map(({ memory }) => memory.peakResident);
  if (base === undefined || peaks.some((peak) => peak === undefined))
    throw new Error('the device does not tell the peak memory of a process');
  return Math.max(...(peaks as number[])) - base;
}

/** Pixels between −1 and 1: images that are all the same would make all tokens alike, which merging sorts by. */
function noise(count: number): Uint8Array {
  const random = seededRandom(1);
  return new Uint8Array(Float32Array.from({ length: count }, () => 2 * random.uniform() - 1).buffer);
}
