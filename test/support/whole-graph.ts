import { GraphBuilder } from '../../src/onnx/builder.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { layerCount, readsAllTokens, tokensAt } from '../../src/vit/config.js';
import { emitBlock } from '../../src/vit/graph/block.js';
import { emitEmbedding, emitPixels } from '../../src/vit/graph/embedding.js';
import { emitHead } from '../../src/vit/graph/head.js';
import { emitLeading } from '../../src/vit/graph/leading.js';
import type { Tokens } from '../../src/vit/graph/merge.js';
import type { ViT } from '../../src/vit/vit.js';

/** The graph of a model whose last block is computed for all tokens, as its textbook says and as stages observe it. */
export function wholeGraph(vit: ViT): OnnxModel {
  const g = new GraphBuilder('whole');
  let stream: Tokens = { residual: emitEmbedding(g, vit, emitPixels(g, vit)), sizes: undefined };
  const layers = layerCount(vit.config);
  for (let layer = 0; layer < layers; layer++) stream = emitBlock(g, vit, layer, stream);
  g.output(emitHead(g, vit, readsAllTokens(vit.config) ? stream : leading()));
  return g.finish();

  function leading(): Tokens {
    const residual = emitLeading(g, 'leading', vit.config, stream.residual, tokensAt(vit.config, layers));
    return { residual, sizes: undefined };
  }
}
