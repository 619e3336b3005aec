import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import {
  mergeTokensOptionsSchema,
  type MergeTokensOptions,
} from '../../src/compress/merge-tokens/options.js';
import { candidatesFor, multiplications } from '../../src/compress/merge-tokens/schedule.js';
import { mergeTokens, withMerges } from '../../src/compress/merge-tokens/stage.js';
import { logitsFor } from '../../src/compress/observe/logits.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { float32 } from '../../src/onnx/tensor.js';
import { mostMerges, tokensAt } from '../../src/vit/config.js';
import { batch } from '../../src/onnx/dims.js';
import { emitMerge } from '../../src/vit/graph/merge.js';
import { emitMergeByProducts } from '../../src/vit/graph/merge-products.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { withWeights, type ViT } from '../../src/vit/vit.js';
import { runOnce } from '../support/engine.js';
import { refusalOf } from '../support/refusal.js';
import {
  copyOf,
  kernelsOf,
  logitsOf,
  maxDifference,
  openBench,
  pixelsOf,
  valuesOf,
  type Bench,
} from './support.js';
import { matchTokens, referenceOf, smallViT } from './tome-reference.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const options = (more: object): MergeTokensOptions => mergeTokensOptionsSchema.parse({ images: 32, ...more });

/** Pixels of some images, drawn from a seed. */
function imagesOf(seed: number, count: number): Float32Array {
  const random = seededRandom(seed);
  return Float32Array.from({ length: count * 3 * 32 * 32 }, () => 2 * random.uniform() - 1);
}

const image = (pixels: Float32Array, index: number): Float32Array =>
  pixels.subarray(index * 3072, (index + 1) * 3072);

describe('a graph that merges tokens', () => {
  // 17 tokens: 8 even ones can go, then 4 of 9, then 2 of 5.
  it.each([
    [1, [3, 2, 1]],
    [2, [8, 4, 2]],
    [3, [1, 0, 5]],
    [4, [0, 7, 3]],
    [5, [8, 0, 0]],
    [6, [2, 2, 2]],
  ])('gives what the float64 reference gives (seed %d, merging %j)', async (seed, merges) => {
    const vit = withMerges(smallViT(seed), merges);
    const pixels = imagesOf(seed, 4);
    const found = await logitsOf(bench, vit, pixels);
    const sizeNames = merges.flatMap((count, layer) => (count > 0 ? [`layers.${layer}.merge:sizes`] : []));
    const sizes = await valuesOf(bench, vit, sizeNames, pixels);
    for (let i = 0; i < 4; i++) {
      const reference = await referenceOf(vit, image(pixels, i));
      expect(maxDifference(found.subarray(5 * i, 5 * i + 5), reference.logits)).toBeLessThan(1e-4);
      for (const [layer, count] of merges.entries()) {
        if (count === 0) continue;
        const width = reference.sizes[layer]!.length;
        const own = sizes.get(`layers.${layer}.merge:sizes`)!.subarray(i * width, (i + 1) * width);
        expect([...own]).toEqual(reference.sizes[layer]);
        expect(own.reduce((sum, size) => sum + size, 0)).toBe(17);
      }
      expect(reference.members[0]).toEqual([0]);
    }
  });

  it('does not give what it would without proportional attention', async () => {
    const vit = withMerges(smallViT(2), [8, 4, 2]);
    const pixels = imagesOf(2, 1);
    const { logits } = await referenceOf(vit, pixels, false);
    expect(maxDifference(await logitsOf(bench, vit, pixels), logits)).toBeGreaterThan(1e-3);
  });

  it('has as many tokens as the schedule leaves', () => {
    const vit = withMerges(smallViT(1), [3, 0, 6]);
    const { values } = buildGraph(vit);
    const rows = (name: string): unknown => values.find((value) => value.name === name)!.dims[0];
    expect([0, 1, 2].map((layer) => rows(`layers.${layer}.k`))).toEqual(['17*batch', '14*batch', '14*batch']);
    expect([0, 1, 2].map((layer) => rows(`layers.${layer}.fc1`))).toEqual(['14*batch', '14*batch', 'batch']);
    expect([0, 1, 2, 3].map((layer) => tokensAt(vit.config, layer))).toEqual([17, 14, 14, 8]);
  });

  it('that merges none anywhere is the graph without merging', () => {
    const vit = smallViT(1);
    expect(buildGraph(withMerges(vit, [0, 0, 0])).nodes).toEqual(buildGraph(vit).nodes);
  });

  it('loses nothing by merging tokens that are equal', async () => {
    // Patches 1 and 2 (an odd and an even token) are the same, and stand at the same place.
    const plain = smallViT(7);
    const positions = await copyOf(plain, 'positions');
    positions.copyWithin(2 * 24, 1 * 24, 2 * 24);
    const vit = withWeights(plain, [['positions', float32([17, 24], positions)]]);
    const pixels = imagesOf(7, 1);
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++) pixels[(c * 32 + y) * 32 + 8 + x] = pixels[(c * 32 + y) * 32 + x]!;
    const before = await logitsOf(bench, vit, pixels);
    expect(maxDifference(await logitsOf(bench, withMerges(vit, [1, 0, 0]), pixels), before)).toBeLessThan(
      1e-5,
    );
    expect(maxDifference(await logitsOf(bench, withMerges(vit, [2, 0, 0]), pixels), before)).toBeGreaterThan(
      1e-4,
    );
  });

  it('merges nothing in the last block, behind whose attention only the class token counts', () => {
    const vit = smallViT(8);
    expect(buildGraph(withMerges(vit, [2, 0, 8])).nodes).toEqual(
      buildGraph(withMerges(vit, [2, 0, 0])).nodes,
    );
  });

  it('gives the same for an image alone and in a batch', async () => {
    const vit = withMerges(smallViT(9), [4, 3, 2]);
    const pixels = imagesOf(9, 3);
    const together = await logitsOf(bench, vit, pixels);
    for (let i = 0; i < 3; i++)
      expect(
        maxDifference(await logitsOf(bench, vit, image(pixels, i)), together.subarray(5 * i, 5 * i + 5)),
      ).toBeLessThan(1e-5);
  });
});

describe.each<[string, typeof emitMerge]>([
  ['by picking, as for a CPU', emitMerge],
  ['by products, as for WebGPU', emitMergeByProducts],
])('merging %s', (_, emit) => {
  // Also when every even token goes, and with another token that the head reads beside the class token.
  it.each([
    [17, 1, 3],
    [17, 1, 8],
    [16, 1, 7],
    [18, 2, 5],
    [17, 2, 7],
    [18, 2, 8],
  ])(
    'of %d tokens, %d of them read by the head, joins %d as the reference does',
    async (tokens, leading, merges) => {
      const [hidden, count] = [12, 3];
      const g = new GraphBuilder('merge');
      const x = g.input('x', 'float32', [{ perBatch: tokens }, hidden]);
      const merging = { tokens, merges, prefix: leading, hidden };
      const merged = emit(g, 'merged', { residual: x, sizes: undefined }, merging);
      g.output(merged.residual);
      g.output(merged.sizes);
      const random = seededRandom(tokens + leading);
      const values = Float32Array.from({ length: count * tokens * hidden }, () => random.normal());
      const dims = [count * tokens, hidden];
      const outputs = await runOnce(g.finish(), { x: { dims, data: values } });
      const expected: number[] = [];
      const sizes: number[] = [];
      for (let i = 0; i < count; i++) {
        const rows = Array.from({ length: tokens }, (_, t) =>
          Array.from(values.subarray((i * tokens + t) * hidden, (i * tokens + t + 1) * hidden)),
        );
        const groups = matchTokens(rows, merges, leading);
        for (let t = 0; t < leading; t++) expect(groups[t]).toEqual([t]);
        for (const group of groups) {
          sizes.push(group.length);
          for (let c = 0; c < hidden; c++)
            expected.push(group.reduce((sum, t) => sum + rows[t]![c]!, 0) / group.length);
        }
      }
      expect(maxDifference(outputs['merged']!.data as Float32Array, expected)).toBeLessThan(1e-5);
      expect([...(outputs['merged:sizes']!.data as Float32Array)]).toEqual(sizes);
    },
  );

  /** How many patches each token behind the class token stands for, of patches at these angles in a plane, in degrees. */
  const sizesOf = async (degrees: readonly number[], merges: number): Promise<number[]> => {
    const tokens = 1 + degrees.length;
    const g = new GraphBuilder('merge');
    const x = g.input('x', 'float32', [{ perBatch: tokens }, 2]);
    g.output(
      emit(g, 'merged', { residual: x, sizes: undefined }, { tokens, merges, prefix: 1, hidden: 2 }).sizes,
    );
    const data = Float32Array.from(
      [0, ...degrees].flatMap((angle) => [
        3 * Math.cos((angle * Math.PI) / 180),
        3 * Math.sin((angle * Math.PI) / 180),
      ]),
    );
    const found = await runOnce(g.finish(), { x: { dims: [tokens, 2], data } });
    return [...(found['merged:sizes']!.data as Float32Array)];
  };

  it('joins all of a chain, whose middle goes itself', async () => {
    expect(await sizesOf([0, 1, 2.1, 90, 200], 2)).toEqual([1, 3, 1, 1]);
    expect(await sizesOf([90, 0, 1, 2.1, 3.3, 4.6, 6, 200], 4)).toEqual([1, 1, 5, 1, 1]);
  });

  it('joins two that are most like each other before one that is a little more like a third, which is more like a fourth', async () => {
    // 0° and 10° are nearer than 100° and 112°, but 10° is nearer to 13°.
    expect(await sizesOf([0, 10, 13, 100, 112], 2)).toEqual([1, 1, 2, 2]);
  });

  it('joins patches of which both or none stand at even places, too', async () => {
    expect(await sizesOf([0, 60, 61, 180, 240], 1)).toEqual([1, 1, 2, 1, 1]);
    expect(await sizesOf([60, 0, 61, 180, 240], 1)).toEqual([1, 2, 1, 1, 1]);
  });

  it('gives zeros of rows that are all zero', async () => {
    const [tokens, hidden] = [7, 6];
    const g = new GraphBuilder('merge');
    const x = g.input('x', 'float32', [{ perBatch: tokens }, hidden]);
    g.output(
      emit(g, 'merged', { residual: x, sizes: undefined }, { tokens, merges: 2, prefix: 1, hidden }).residual,
    );
    const zeros = { dims: [2 * tokens, hidden], data: new Float32Array(2 * tokens * hidden) };
    const { merged } = await runOnce(g.finish(), { x: zeros });
    expect([...(merged!.data as Float32Array)]).toEqual(Array(2 * (tokens - 2) * hidden).fill(0));
  });
});

describe('merging by products', () => {
  it('joins what picking does where tokens are as like each other, and counts the sizes that they have', async () => {
    const [tokens, hidden, count] = [19, 6, 2];
    const g = new GraphBuilder('both');
    const x = g.input('x', 'float32', [{ perBatch: tokens }, hidden]);
    const sizes = g.input('sizes', 'float32', [batch, tokens, 1]);
    const merging = { tokens, merges: 5, prefix: 1, hidden };
    for (const [name, emit] of [
      ['picked', emitMerge],
      ['product', emitMergeByProducts],
    ] as const) {
      const { residual, sizes: after } = emit(g, name, { residual: x, sizes }, merging);
      g.output(residual);
      g.output(after);
    }
    const random = seededRandom(3);
    const dims = [count * tokens, hidden];
    // Three kinds of rows only: most tokens have several that are as like them.
    const kinds = Array.from({ length: 3 * hidden }, () => random.normal());
    const values = Float32Array.from(
      { length: count * tokens * hidden },
      (_, i) => kinds[((Math.floor(i / hidden) * 7) % 3) * hidden + (i % hidden)]!,
    );
    const counts = Float32Array.from({ length: count * tokens }, (_, i) => 1 + (i % 4));
    const found = await runOnce(g.finish(), {
      x: { dims, data: values },
      sizes: { dims: [count, tokens, 1], data: counts },
    });
    for (const what of ['', ':sizes']) {
      const [picked, product] = ['picked', 'product'].map(
        (name) => found[`${name}${what}`]!.data as Float32Array,
      );
      expect(maxDifference(product!, picked!)).toBeLessThan(1e-5);
    }
  });
});

describe('a schedule', () => {
  const { config } = smallViT(1, { mlpSizes: [40, 32, 36, 36, 36] });

  it('is the same for every block, falls to none, or is what was written', () => {
    const merges = (more: object): readonly number[] => candidatesFor(config, options(more))[0]!.merges;
    expect(merges({ r: 2 })).toEqual([2, 2, 2, 2, 0]);
    expect(merges({ r: 2, schedule: 'decreasing' })).toEqual([4, 3, 2, 1, 0]);
    expect(merges({ r: [0, 5, 0, 1, 0] })).toEqual([0, 5, 0, 1, 0]);
  });

  it('merges all it can where there are too few tokens', () => {
    expect(candidatesFor(config, options({ r: 100 }))[0]!.merges).toEqual([8, 4, 2, 1, 0]);
    expect([17, 16, 3, 2, 1].map((tokens) => mostMerges(tokens, 1))).toEqual([8, 7, 1, 0, 0]);
    expect([18, 17, 3, 2].map((tokens) => mostMerges(tokens, 2))).toEqual([8, 7, 0, 0]);
  });

  it('meets its budget, with less than one more token for each block', () => {
    const before = multiplications(config);
    for (const speed of [1.1, 1.3, 1.45]) {
      const candidates = candidatesFor(config, options({ budget: { speed } }));
      expect(candidates).toHaveLength(5);
      for (const { merges } of candidates) {
        expect(before / multiplications({ ...config, merges })).toBeGreaterThanOrEqual(speed);
        const gentler = merges.map((count, layer) =>
          layer + 1 < merges.length ? Math.max(0, count - 1) : count,
        );
        if (gentler.join() === merges.join()) continue;
        expect(before / multiplications({ ...config, merges: gentler })).toBeLessThan(speed);
      }
    }
  });

  it('that is searched merges a third of the tokens at most, in every second block, where that is enough', () => {
    // What no schedule of this kind can exceed: block after block, all that it may.
    let tokens = 17;
    const most = config.mlpSizes.map((_, layer) => {
      const merges = layer === 1 || layer === 3 ? Math.min(Math.floor(tokens / 3), (tokens - 1) >> 1) : 0;
      tokens -= merges;
      return merges;
    });
    expect(most).toEqual([0, 5, 0, 4, 0]);
    const fastest = multiplications(config) / multiplications({ ...config, merges: most });
    for (const speed of [1.05, 1.15, fastest - 1e-9, fastest + 1e-9, 1.45]) {
      for (const { merges } of candidatesFor(config, options({ budget: { speed } }))) {
        const [first = 0, , third = 0] = merges;
        if (speed > fastest) expect(first + third).toBeGreaterThan(0);
        else
          for (const [layer, count] of merges.entries())
            expect(count).toBeLessThanOrEqual(
              layer % 2 === 0 ? 0 : tokensAt({ ...config, merges }, layer) / 3,
            );
      }
    }
  });

  it('that is searched merges in every nth block where that is enough', () => {
    const deep = smallViT(1, { mlpSizes: Array.from({ length: 9 }, () => 36) }).config;
    for (const every of [3, 4])
      for (const { merges } of candidatesFor(deep, options({ budget: { speed: 1.05, every } }))) {
        expect(multiplications(deep) / multiplications({ ...deep, merges })).toBeGreaterThanOrEqual(1.05);
        expect(merges.every((count, layer) => count === 0 || (layer + 1) % every === 0)).toBe(true);
      }
  });

  it('counts the multiplications of every product', () => {
    const macs = (tokens: number, asking: number, mlpTokens: number, mlp: number): number =>
      2 * tokens * 24 * 24 + 2 * asking * 24 * 24 + 2 * asking * tokens * 24 + 2 * mlpTokens * 24 * mlp;
    const small = smallViT(1).config;
    // Behind the keys and values of the last block only the class token is computed.
    expect(multiplications({ ...small, merges: [3, 0, 6] })).toBe(
      16 * 192 * 24 + macs(17, 17, 14, 40) + macs(14, 14, 14, 32) + macs(14, 1, 1, 36),
    );
  });

  it.each<[object, string, string]>([
    [{ r: [1, 2] }, 'merge-tokens.r', '2 numbers'],
    [{ r: [1, 1, 9, 0, 0] }, 'merge-tokens.r.2', '9'],
    [{ budget: { speed: 50 } }, 'merge-tokens.budget.speed', '50'],
  ])('that cannot be is refused: %j', async (more, place, found) => {
    const fault = await refusalOf(() => candidatesFor(config, options(more)));
    expect(fault).toMatchObject({ source: 'recipe', place, found });
  });

  it('is either r or a budget', () => {
    expect(mergeTokensOptionsSchema.safeParse({}).success).toBe(false);
    expect(mergeTokensOptionsSchema.safeParse({ r: 1, budget: { speed: 2 } }).success).toBe(false);
  });
});

describe('merge-tokens', () => {
  it('of the built-in model keeps fewer classes the more it merges, and most of them at first', async () => {
    const agreements: number[] = [];
    for (const r of [0, 1, 2, 4]) {
      const { report } = await mergeTokens(bench.vit, bench.context, options({ r, images: 256 }));
      agreements.push(report.schedules[0]!.agreement);
    }
    expect(agreements[0]).toBe(1);
    expect(agreements[1]).toBeGreaterThan(0.9);
    for (let i = 1; i < agreements.length; i++)
      expect(agreements[i]!).toBeLessThanOrEqual(agreements[i - 1]! + 0.02);
    expect(agreements[3]!).toBeGreaterThan(0.2);
  });

  it('takes the schedule whose logits stay nearest, and reports what it does', async () => {
    const { vit, report } = await mergeTokens(bench.vit, bench.context, options({ budget: { speed: 1.3 } }));
    const errors = report.schedules.map(({ error }) => error);
    expect(errors).toEqual([...errors].sort((a, b) => a - b));
    expect(vit.config.merges).toEqual(report.schedules[0]!.merges);
    expect(report.multiplications.before / report.multiplications.after).toBeGreaterThanOrEqual(1.3);
    expect(report.blocks[0]).toMatchObject({ before: 17 });
    expect(report.blocks.at(-1)!.after).toBe(tokensAt(vit.config, 4));
  });

  it('is refused twice', async () => {
    const { vit } = await mergeTokens(bench.vit, bench.context, options({ r: 1 }));
    const fault = await refusalOf(() => mergeTokens(vit, bench.context, options({ r: 1 })));
    expect(fault.place).toBe('merge-tokens');
  });

  it('comes before and after pruning, and before INT8, all of whose kernels run', async () => {
    const pruning = pruneOptionsSchema.parse({ ratio: 0.25, images: 64 });
    const merging = options({ r: 2 });
    const first = await mergeTokens(bench.vit, bench.context, merging);
    const prunedAfter = (await prune(first.vit, bench.context, pruning)).vit;
    const prunedBefore = (await prune(bench.vit, bench.context, pruning)).vit;
    const mergedAfter = (await mergeTokens(prunedBefore, bench.context, merging)).vit;
    for (const vit of [prunedAfter, mergedAfter]) {
      const int8 = await quantize(vit, bench.context, quantizeOptionsSchema.parse({ images: 32, rows: 128 }));
      expect(int8.vit.config.merges).toEqual([2, 2, 2, 0]);
      expect((await kernelsOf(bench, int8.vit)).get('MatMulIntegerToFloat')).toBe(25);
      const holdout = await bench.context.calibration.holdout(64);
      expect(await sameClasses(int8.vit, vit, holdout)).toBeGreaterThan(0.9);
      // What stages observe on their way block by block is what the whole graph computes.
      const whole = await logitsOf(bench, vit, await pixelsOf(holdout));
      expect(maxDifference(await logitsFor(bench.context, vit, walkOf(holdout)), whole)).toBeLessThan(1e-3);
    }
  });
});

type Images = Awaited<ReturnType<Bench['context']['calibration']['holdout']>>;

function walkOf(images: Images): Parameters<typeof logitsFor>[2] {
  return { name: 'test', images, progress: [0, 1] };
}

async function sameClasses(a: ViT, b: ViT, images: Images): Promise<number> {
  const largest = (logits: Float32Array, row: number): number => {
    const own = [...logits.subarray(row * 10, row * 10 + 10)];
    return own.indexOf(Math.max(...own));
  };
  const [first, second] = [
    await logitsFor(bench.context, a, walkOf(images)),
    await logitsFor(bench.context, b, walkOf(images)),
  ];
  const rows = Array.from({ length: images.count }, (_, row) => row);
  return rows.filter((row) => largest(first, row) === largest(second, row)).length / rows.length;
}
