import { square } from '../src/base/size.js';
import { serializeModel } from '../src/onnx/file.js';
import type { OnnxModel } from '../src/onnx/model.js';
import { defaultSessionOptions } from '../src/runtime/engine.js';
import { nodeEngine } from '../src/runtime/node.js';
import { buildGraph } from '../src/vit/graph/model.js';
import { syntheticViT } from '../src/vit/synthetic.js';
import { wholeGraph } from '../test/support/whole-graph.js';
import { compare, timesOf, type Contender } from './interleave.js';

const BATCH = 8;
const RUNS = 2;
const ROUNDS = 6;

/** What it gives to compute the last block only for what the head reads, in float32: the one exact lever of every variant. */
export async function lastBlock(): Promise<void> {
  for (const name of ['vit-small', 'vit-base'] as const) {
    const vit = syntheticViT(name, 1, square(224), ['a', 'b']);
    await compare(
      [
        await contender(`${name}, all tokens to the end`, wholeGraph(vit)),
        await contender(`${name}, class token in the last block`, buildGraph(vit)),
      ],
      ROUNDS,
    );
  }
}

async function contender(name: string, graph: OnnxModel): Promise<Contender> {
  const engine = await nodeEngine();
  const session = await engine.open(await serializeModel(graph), { ...defaultSessionOptions, threads: 2 });
  const pixels = new Float32Array(BATCH * 3 * 224 * 224);
  const feeds = { pixel_values: engine.tensor('float32', pixels, [BATCH, 3, 224, 224]) };
  await session.run(feeds);
  return {
    name,
    measure: () => timesOf(RUNS, () => session.run(feeds)),
  };
}
