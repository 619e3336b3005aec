import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeOptionsSchema } from '../../../src/compress/quantize/options.js';
import { quantize } from '../../../src/compress/quantize/stage.js';
import { withMerges } from '../../../src/compress/merge-tokens/stage.js';
import type { GraphTarget } from '../../../src/base/target.js';
import { buildGraph } from '../../../src/vit/graph/model.js';
import type { ViT } from '../../../src/vit/vit.js';
import { kernelsOf, maxDifference, openBench, type Bench } from '../../compress/support.js';
import { smallViT } from '../../compress/tome-reference.js';
import { runOnce } from '../../support/engine.js';
import { wholeGraph } from '../../support/whole-graph.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

/** Largest difference of the logits from those of the graph that computes all tokens to the end, as a share of their range. */
async function difference(vit: ViT, target: GraphTarget = 'cpu'): Promise<number> {
  const inputs = { pixel_values: { dims: [32, 3, 32, 32], data: bench.pixels } };
  const [own, whole] = await Promise.all(
    [buildGraph(vit, {}, target), wholeGraph(vit)].map(
      async (graph) => (await runOnce(graph, inputs))['logits']!.data as Float32Array,
    ),
  );
  return maxDifference(own!, whole!) / (Math.max(...whole!) - Math.min(...whole!));
}

const rowsOf = (vit: ViT, name: string, target: GraphTarget): unknown =>
  buildGraph(vit, {}, target).values.find((value) => value.name === name)!.dims[0];

describe.each<GraphTarget>(['cpu', 'webgpu'])('the last block of a graph for %s', (target) => {
  it.each([
    ['a model', smallViT(1)],
    ['a distilled model', smallViT(2, { distilled: true })],
    ['a model of one block', smallViT(3, { mlpSizes: [32] })],
    ['a distilled model of one block', smallViT(4, { mlpSizes: [32], distilled: true })],
  ])('of %s changes no logit by leaving out what the head does not read', async (_, vit) => {
    expect(await difference(vit, target)).toBeLessThan(1e-5);
  });

  it('is computed for the tokens that the head reads, keys and values for all', () => {
    for (const [vit, leading, all] of [
      [smallViT(1), 'batch', '17*batch'],
      [smallViT(2, { distilled: true }), '2*batch', '18*batch'],
    ] as const) {
      for (const role of ['q', 'o', 'fc1', 'fc2'])
        expect([role, rowsOf(vit, `layers.2.${role}`, target)]).toEqual([role, leading]);
      for (const name of ['layers.2.k', 'layers.2.v', 'layers.1.q', 'layers.1.fc2'])
        expect([name, rowsOf(vit, name, target)]).toEqual([name, all]);
    }
  });
});

describe('the last block', () => {
  it('of a model that merges tokens changes no logit, the sizes of tokens counted', async () => {
    expect(await difference(withMerges(smallViT(5), [4, 3, 0]))).toBeLessThan(1e-5);
    expect(await difference(withMerges(smallViT(6, { distilled: true }), [8, 4, 2]))).toBeLessThan(1e-5);
  });

  it.each(['w8a8', 'qdq', 'w8'] as const)('in %s changes no logit, and all kernels run', async (format) => {
    const options = quantizeOptionsSchema.parse({ format, alpha: 'off', images: 16, rows: 32 });
    const { vit } = await quantize(bench.vit, bench.context, options);
    expect(await difference(vit)).toBeLessThan(1e-5);
    const kernel = { w8a8: 'MatMulIntegerToFloat', qdq: 'QGemm', w8: 'MatMulNBits' }[format];
    const kernels = await kernelsOf(bench, vit);
    expect(kernels.get(kernel)).toBe(format === 'w8a8' ? 25 : 24);
    expect(kernels.get('Attention')).toBe(4);
  });
});
