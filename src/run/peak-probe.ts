import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Device } from '../device/device.js';
import { writeModel } from '../onnx/file.js';
import { MeasurementCollector, type Measurement } from '../protocol/measurement.js';
import { PROTOCOL_VERSION } from '../protocol/task.js';
import { buildGraph } from '../vit/graph/model.js';
import type { ViT } from '../vit/vit.js';

/** Loading and a few runs: after the second a peak does not grow any more. */
const QUERIES = 3;
const MOST_SECONDS = 30;

/**
 * A function that measures the peak memory of a model on a device, over the runtime's base, in bytes: what a budget is held
 * against while widths are chosen.
 *
 * @param device - where
 * @param microBatch - images the model runs at once; undefined runs the whole batch
 * @param signal - ends a measurement
 */
export function peakProbe(
  device: Device,
  microBatch: number | undefined,
  signal: AbortSignal,
): (vit: ViT, batch: number) => Promise<number> {
  return async (vit, batch) => {
    const folder = await mkdtemp(join(tmpdir(), 'edgeflex-probe-'));
    try {
      const model = join(folder, 'model.onnx');
      await writeModel(buildGraph(vit), model);
      const inputs = join(folder, 'inputs.bin');
      const { channels, imageSize } = vit.config;
      await writeFile(inputs, new Uint8Array(batch * channels * imageSize ** 2 * 4));
      const collector = new MeasurementCollector();
      await device.measure(
        {
          kind: 'performance',
          protocol: PROTOCOL_VERSION,
          session: device.session,
          ...{ model, inputs, batch, microBatch: Math.min(microBatch ?? batch, batch) },
          ...{ minQueries: QUERIES, minSeconds: 0.001, maxSeconds: MOST_SECONDS, maxWarmupSeconds: 0.001 },
        },
        {
          onEvent: (event) => {
            collector.add(event);
          },
          signal,
          silenceMilliseconds: 300_000,
        },
      );
      return peakOverBase(collector.measurement);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

function peakOverBase({ phases }: Measurement): number {
  const base = phases.find(({ phase }) => phase === 'prepare')?.memory.resident;
  const peaks = phases
    .slice(phases.findIndex(({ phase }) => phase === 'load'))
    .map(({ memory }) => memory.peakResident);
  if (base === undefined || peaks.some((peak) => peak === undefined))
    throw new Error('the device does not tell the peak memory of a process');
  return Math.max(...(peaks as number[])) - base;
}
