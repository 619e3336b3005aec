import { defined } from '../../base/defined.js';
import { serializeModel } from '../../onnx/file.js';
import { constantBytes } from '../../onnx/liveness.js';
import { featureWidth, layerCount } from '../../vit/config.js';
import { INPUT } from '../../vit/graph/embedding.js';
import { buildGraph } from '../../vit/graph/model.js';
import type { ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { finite } from '../weights.js';
import { openStream } from './blocks.js';
import { keptOpen, KEPT_BYTES, openPart } from './sessions.js';

/** A model of which nothing but what it gives is asked, for several sets of images. */
export interface OpenedModel {
  /**
   * What it makes of images.
   *
   * @returns `[images, classes]`; `[images, width of the features]` for a model without a head
   */
  outputs(images: Calibration): Promise<Float32Array>;
  close(): Promise<void>;
}

/**
 * Opens a model: as a whole, which spares the copies between its blocks, or block by block where it is too large for that.
 *
 * @param context - runtime and threads
 * @param vit - the model
 * @param limit - bytes of constants that may stay open
 */
export async function openModel(
  context: StageContext,
  vit: ViT,
  limit: number = KEPT_BYTES,
): Promise<OpenedModel> {
  const graph = buildGraph(vit);
  if (constantBytes(graph) > limit) return inParts(context, vit, limit);
  const { channels, imageSize, labels } = vit.config;
  const width = labels.length || featureWidth(vit.config);
  const session = await openPart(context, await serializeModel(graph), false);
  return {
    async outputs(images) {
      const { batchSize, count } = images;
      const dims = [batchSize, channels, imageSize.height, imageSize.width];
      const all = new Float32Array(count * width);
      let at = 0;
      for await (const pixels of images.batches()) {
        context.throwIfStopped();
        const found = await session.run({ [INPUT]: context.engine.tensor('float32', pixels, dims) });
        const output = defined(session.outputNames[0], 'the output of a model');
        const values = finite(defined(found[output], output).data as Float32Array, output);
        all.set(values, at);
        at += values.length;
      }
      return all;
    },
    close: () => session.close(),
  };
}

function inParts(context: StageContext, vit: ViT, limit: number): OpenedModel {
  const sessions = keptOpen(context, limit);
  return {
    async outputs(images) {
      const stream = await openStream(context, vit, images, sessions);
      for (let layer = 0; layer + 1 < layerCount(vit.config); layer++) await stream.advance(vit, layer);
      return stream.logits(vit);
    },
    close: () => sessions.close(),
  };
}
