import { GraphBuilder, type Value } from '../src/onnx/builder.js';
import { batch } from '../src/onnx/dims.js';
import { serializeModel } from '../src/onnx/file.js';
import { attention, binary, layerNormalization } from '../src/onnx/ops.js';
import { float32 } from '../src/onnx/tensor.js';
import { seededRandom } from '../src/base/random.js';
import { defaultSessionOptions, type Engine } from '../src/runtime/engine.js';
import { nodeEngine } from '../src/runtime/node.js';
import { compare, timesOf, type Contender } from './interleave.js';

/** ViT-Base at 224 pixels, batch 8. */
const BATCH = 8;
const TOKENS = 197;
const HIDDEN = 768;
const HEADS = 12;

/** So many in a row, so that the operator outweighs the call; so many runs in each turn. */
const DEPTH = 4;
const RUNS = 8;
const ROUNDS = 10;

/** Which of several graph forms of the same function the runtime computes fastest: what `vit/graph/` emits, and why. */
export async function graphForms(): Promise<void> {
  const engine = await nodeEngine();
  const rows = [batch, HIDDEN] as const;
  const sequence = [batch, TOKENS, HIDDEN] as const;
  const scale = float32([HIDDEN], new Float32Array(HIDDEN).fill(1));
  const shift = float32([HIDDEN], new Float32Array(HIDDEN));
  const residual = (x: Value, each: (x: Value, layer: number) => Value): Value => {
    let y = x;
    for (let layer = 0; layer < DEPTH; layer++) y = each(y, layer);
    return y;
  };

  await compare(
    [
      await contender(engine, 'Add, LayerNormalization', rows, BATCH * TOKENS, (g, x) =>
        residual(x, (y, layer) => {
          const sum = binary(g, 'Add', `sum${layer}`, y, x);
          return layerNormalization(
            g,
            `norm${layer}`,
            sum,
            g.constant('scale', scale),
            g.constant('shift', shift),
            1e-6,
          );
        }),
      ),
      await contender(engine, 'SkipLayerNormalization', rows, BATCH * TOKENS, (g, x) =>
        residual(x, (y, layer) =>
          g.call(
            'SkipLayerNormalization',
            [y, x, g.constant('scale', scale), g.constant('shift', shift)],
            { ...x, name: `norm${layer}` },
            { domain: 'com.microsoft', attributes: { epsilon: { type: 'float', value: 1e-6 } } },
          ),
        ),
      ),
    ],
    ROUNDS,
  );
  await compare(
    [
      await contender(engine, 'Attention (ONNX 23)', sequence, BATCH, (g, x) =>
        residual(x, (y, layer) => attention(g, `mixed${layer}`, y, y, x, HEADS)),
      ),
      await contender(engine, 'MultiHeadAttention (com.microsoft)', sequence, BATCH, (g, x) =>
        residual(x, (y, layer) =>
          g.call(
            'MultiHeadAttention',
            [y, y, x],
            { ...x, name: `mixed${layer}` },
            { domain: 'com.microsoft', attributes: { num_heads: { type: 'int', value: HEADS } } },
          ),
        ),
      ),
    ],
    ROUNDS,
  );
}

async function contender(
  engine: Engine,
  name: string,
  dims: Value['dims'],
  count: number,
  emit: (g: GraphBuilder, x: Value) => Value,
): Promise<Contender> {
  const g = new GraphBuilder('form');
  g.output(emit(g, g.input('x', 'float32', dims)));
  const session = await engine.open(await serializeModel(g.finish()), {
    ...defaultSessionOptions,
    threads: 2,
  });
  const shape = [count, ...dims.slice(1).map(Number)];
  const random = seededRandom(1);
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.uniform() - 0.5);
  const x = engine.tensor('float32', values, shape);
  return {
    name,
    async measure() {
      const times = await timesOf(RUNS, () => session.run({ x }));
      return times.map((time) => time / DEPTH);
    },
  };
}
