import type { GraphTarget } from '../../base/target.js';
import { GraphBuilder } from '../../onnx/builder.js';
import type { OnnxModel } from '../../onnx/model.js';
import { layerCount } from '../config.js';
import type { ViT } from '../vit.js';
import { emitBlock, emitLastBlock } from './block.js';
import { emitEmbedding, emitPixels } from './embedding.js';
import { emitHead } from './head.js';
import type { Tokens } from './merge.js';
import { buildWebGpuGraph } from './webgpu.js';

/**
 * The graph of a model, from preprocessed pixels to logits, in the form that ONNX Runtime executes fast on a target.
 *
 * Input `pixel_values` `[batch, channels, height, width]`, output `logits` `[batch, classes]`, both float32. A model without classes has one
 * output, too: the features, `[batch, width]`.
 *
 * @param vit - the model
 * @param metadata - properties to store in the file
 * @param target - what it is to run on
 */
export function buildGraph(
  vit: ViT,
  metadata: Readonly<Record<string, string>> = {},
  target: GraphTarget = 'cpu',
): OnnxModel {
  if (target !== 'cpu') return buildWebGpuGraph(vit, target === 'webgpu-f16', metadata);
  const g = new GraphBuilder('vit');
  let tokens: Tokens = { residual: emitEmbedding(g, vit, emitPixels(g, vit)), sizes: undefined };
  for (let layer = 0; layer + 1 < layerCount(vit.config); layer++) tokens = emitBlock(g, vit, layer, tokens);
  g.output(emitHead(g, vit, emitLastBlock(g, vit, tokens)));
  return g.finish(metadata);
}
