import { join } from 'node:path';
import { withTemporaryFolder } from '../../base/temporary.js';
import type { Device } from '../../device/device.js';
import { writeModel } from '../../onnx/file.js';
import { buildGraph } from '../../vit/graph/model.js';
import type { ViT } from '../../vit/vit.js';
import { A_FEW_RUNS, peakOfProbe, probe } from '../probe.js';

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
  return (vit, batch) =>
    withTemporaryFolder('peak', async (folder) => {
      const model = join(folder, 'model.onnx');
      await writeModel(buildGraph(vit), model);
      const probed = { model, config: vit.config, batch, microBatch };
      return peakOfProbe(await probe(device, probed, A_FEW_RUNS, signal));
    });
}
