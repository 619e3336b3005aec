import { seededRandom } from '../src/base/random.js';
import { GraphBuilder, type Value } from '../src/onnx/builder.js';
import { batch } from '../src/onnx/dims.js';
import { serializeModel } from '../src/onnx/file.js';
import { compared, gatherRows, int64Constant } from '../src/onnx/index-ops.js';
import type { Attribute } from '../src/onnx/model.js';
import { attention, binary, concat, matMul, reshape } from '../src/onnx/ops.js';
import { float32 } from '../src/onnx/tensor.js';
import { defaultSessionOptions, type Engine } from '../src/runtime/engine.js';
import { nodeEngine } from '../src/runtime/node.js';
import { emitMatching } from '../src/vit/graph/matching.js';
import { emitMerge, emitSizeBias, type Merging } from '../src/vit/graph/merge.js';
import { emitMergeByProducts } from '../src/vit/graph/merge-products.js';
import { compare, timesOf, type Contender } from './interleave.js';

/** ViT-Base at 224 pixels, batch 8, in one of its first blocks, merging what halves the tokens over all blocks. */
const BATCH = 8;
const merging: Merging = { tokens: 181, merges: 8, prefix: 1, hidden: 768 };
const { tokens, merges, hidden } = merging;
const heads = 12;
const left = tokens - merges;
const width = hidden / heads;

const RUNS = 10;
const ROUNDS = 10;

interface Inputs {
  readonly x: Value;
  readonly k: Value;
  readonly sizes: Value;
}

/** How tokens are merged, and how attention is told their sizes: the forms that the graph could have taken. */
export async function tokenMerging(): Promise<void> {
  const engine = await nodeEngine();
  await compare(
    [
      await contender(engine, 'merge: gather, product of `merges` columns', (g, { x, sizes }) => [
        emitMerge(g, 'merged', { residual: x, sizes }, merging).residual,
      ]),
      await contender(engine, 'merge: products alone, as on WebGPU', (g, { x, sizes }) => [
        emitMergeByProducts(g, 'merged', { residual: x, sizes }, merging).residual,
      ]),
      await contender(engine, 'merge: the whole merge matrix', wholeMatrix),
      await contender(engine, 'merge: gather, ScatterND of sums', scattered),
      await contender(engine, 'matching alone', (g, { x }) => {
        const { kept, gone, into } = emitMatching(g, 'merged', x, merging);
        return [kept, gone, into];
      }),
    ],
    ROUNDS,
  );
  const sequence = (g: GraphBuilder, name: string, x: Value): Value =>
    reshape(g, name, x, [batch, tokens, hidden]);
  await compare(
    [
      await contender(engine, 'attention without sizes', (g, { x, k }) => [
        attention(g, 'y', sequence(g, 'q', k), sequence(g, 'k3', k), sequence(g, 'v', x), heads),
      ]),
      await contender(engine, 'attention with log sizes as bias', (g, { x, k, sizes }) => [
        attention(
          g,
          'y',
          ...([sequence(g, 'q', k), sequence(g, 'k3', k), sequence(g, 'v', x), heads] as const),
          emitSizeBias(g, 'bias', sizes, tokens, tokens),
        ),
      ]),
      await contender(engine, 'attention with log sizes as a further column', (g, inputs) => [
        widerAttention(g, inputs, 'Attention'),
      ]),
      await contender(engine, 'MultiHeadAttention with a further column', (g, inputs) => [
        widerAttention(g, inputs, 'MultiHeadAttention'),
      ]),
    ],
    ROUNDS,
  );
}

/** Rows of a matrix `[left, tokens]` for each image say which tokens, in which shares, a merged token is. */
function wholeMatrix(g: GraphBuilder, { x, sizes }: Inputs): Value[] {
  const { kept, gone, into } = emitMatching(g, 'merged', x, merging);
  const all = int64Constant(
    g,
    'all',
    [1, tokens],
    Array.from({ length: tokens }, (_, i) => i),
  );
  const stays = compared(g, 'Equal', 'stays', kept, all, [batch, left, tokens]);
  const goes = compared(g, 'Equal', 'goes', gone, all, [batch, merges, tokens]);
  const row = reshape(g, 'into:row', into, [batch, 1, merges]);
  const joins = compared(g, 'Equal', 'joins', row, kept, [batch, left, merges]);
  const matrix = binary(g, 'Add', 'matrix', stays, matMul(g, 'joined', joins, goes));
  const after = matMul(g, 'after', matrix, sizes);
  const sized = binary(g, 'Mul', 'sized', matrix, reshape(g, 'sizes:row', sizes, [batch, 1, tokens]));
  const sequence = reshape(g, 'sequence', x, [batch, tokens, hidden]);
  return [matMul(g, 'out', binary(g, 'Div', 'shares', sized, after), sequence)];
}

/** Sums are scattered into the rows that they join, then those that stay are divided by their sizes. */
function scattered(g: GraphBuilder, { x, sizes }: Inputs): Value[] {
  const { kept, gone, into } = emitMatching(g, 'merged', x, merging);
  const sequence = reshape(g, 'sequence', x, [batch, tokens, hidden]);
  const sums = binary(g, 'Mul', 'sums', sequence, sizes);
  const both = concat(g, 'both', [sums, sizes], 2);
  const column = reshape(g, 'column', into, [batch, merges, 1]);
  const images = int64Constant(
    g,
    'images',
    [BATCH, merges, 1],
    Array.from({ length: BATCH * merges }, (_, i) => Math.floor(i / merges)),
  );
  const indices = g.call(
    'Concat',
    [images, column],
    { name: 'indices', dtype: 'int64', dims: [batch, merges, 2] },
    { attributes: { axis: int(2) } },
  );
  const added = g.call(
    'ScatterND',
    [both, indices, gatherRows(g, 'gone:rows', both, gone)],
    { ...both, name: 'scattered' },
    { attributes: { reduction: { type: 'string', value: 'add' } } },
  );
  const [total, after] = g.callMany(
    'Split',
    [gatherRows(g, 'rows', added, kept), g.indices([hidden, 1])],
    [
      { name: 'total', dtype: 'float32', dims: [batch, left, hidden] },
      { name: 'after', dtype: 'float32', dims: [batch, left, 1] },
    ] as const,
    { attributes: { axis: int(2) } },
  );
  return [binary(g, 'Div', 'out', total, after)];
}

/** q gets a column of √d, k one of log sizes: their product is the bias. */
function widerAttention(
  g: GraphBuilder,
  { x, k, sizes }: Inputs,
  op: 'Attention' | 'MultiHeadAttention',
): Value {
  const byHead = reshape(g, 'by_head', k, [batch, tokens, heads, width]);
  const log = g.call('Log', [reshape(g, 'sizes:heads', sizes, [batch, tokens, 1, 1])], {
    ...{ name: 'log', dtype: 'float32', dims: [batch, tokens, 1, 1] },
  });
  const column = g.call('Expand', [log, g.indices([1, 1, heads, 1])], {
    ...{ name: 'column', dtype: 'float32', dims: [batch, tokens, heads, 1] },
  });
  const roots = g.constant(
    'roots',
    float32([BATCH, tokens, heads, 1], new Float32Array(BATCH * tokens * heads).fill(Math.sqrt(width))),
  );
  const wide = [batch, tokens, heads * (width + 1)];
  const joined = (name: string, last: Value): Value =>
    reshape(
      g,
      name,
      g.call(
        'Concat',
        [byHead, last],
        { name: `${name}:4`, dtype: 'float32', dims: [batch, tokens, heads, width + 1] },
        { attributes: { axis: int(3) } },
      ),
      wide,
    );
  const v = reshape(g, 'v', x, [batch, tokens, hidden]);
  const scale: Attribute = { type: 'float', value: 1 / Math.sqrt(width) };
  return g.call(
    op,
    [joined('q:wide', roots), joined('k:wide', column), v],
    { ...v, name: 'y' },
    op === 'Attention'
      ? { attributes: { q_num_heads: int(heads), kv_num_heads: int(heads), scale } }
      : { domain: 'com.microsoft', attributes: { num_heads: int(heads), scale } },
  );
}

function int(value: number): Attribute {
  return { type: 'int', value };
}

async function contender(
  engine: Engine,
  name: string,
  emit: (g: GraphBuilder, inputs: Inputs) => Value[],
): Promise<Contender> {
  const g = new GraphBuilder('form');
  const rows = [{ perBatch: tokens }, hidden];
  const inputs = {
    x: g.input('x', 'float32', rows),
    k: g.input('k', 'float32', rows),
    sizes: g.input('sizes', 'float32', [batch, tokens, 1]),
  };
  for (const value of emit(g, inputs)) g.output(value);
  const session = await engine.open(await serializeModel(g.finish()), {
    ...defaultSessionOptions,
    threads: 2,
  });
  const random = seededRandom(1);
  const drawn = (length: number): Float32Array => Float32Array.from({ length }, () => random.uniform() - 0.5);
  const x = engine.tensor('float32', drawn(BATCH * tokens * hidden), [BATCH * tokens, hidden]);
  const k = engine.tensor('float32', drawn(BATCH * tokens * hidden), [BATCH * tokens, hidden]);
  const sizes = engine.tensor('float32', new Float32Array(BATCH * tokens).fill(1), [BATCH, tokens, 1]);
  const all = { x, k, sizes };
  const feeds = Object.fromEntries(session.inputNames.map((input) => [input, all[input as keyof Inputs]]));
  return {
    name,
    measure: () => timesOf(RUNS, () => session.run(feeds)),
  };
}
