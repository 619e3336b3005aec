import { beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import type { StageContext } from '../../src/compress/context.js';
import { plannedModel } from '../../src/compress/planned.js';
import { predictedMemory, withWidths } from '../../src/compress/stand-ins.js';
import type { BlockCost } from '../../src/compress/prune/allocation.js';
import { widthsWithin, type BudgetOutcome } from '../../src/compress/prune/budget.js';
import { pruneOptionsSchema, type PruneOptions } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import type { Step } from '../../src/compress/stage.js';
import { constantBytes } from '../../src/onnx/liveness.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import type { ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { openBench, type Bench } from './support.js';

const MIB = 1024 ** 2;

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const random = seededRandom(4);
/** What narrowing costs: convex, as pruning the least important neurons first is. */
function costsOf(vit: ViT): BlockCost[] {
  return vit.config.mlpSizes.map((neurons) => {
    const worth = Float64Array.from({ length: neurons }, () => random.uniform()).sort();
    const loss = new Float64Array(neurons + 1);
    for (let width = neurons - 1; width >= 0; width--)
      loss[width] = loss[width + 1]! + worth[neurons - 1 - width]!;
    return { neurons, loss };
  });
}

const quantized = (options: object): Step[] => [
  { stage: 'quantize', options: quantizeOptionsSchema.parse(options) },
];

const after: readonly (readonly [string, readonly Step[]])[] = [
  ['nothing', []],
  ['INT8', quantized({})],
  ['8 bit in blocks of 32', quantized({ format: 'w8' })],
  ['4 bit in blocks of 256', quantized({ format: 'w4', blockSize: 256 })],
];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe.each(after)('a budget of parameters, with %s to come', (_, remaining) => {
  const bytesOf = (vit: ViT, widths: readonly number[]): number =>
    predictedMemory(plannedModel(withWidths(vit, widths), remaining), 1).constants;
  const chosen = (
    vit: ViT,
    costs: readonly BlockCost[],
    bytes: number,
    multiple: number,
  ): Promise<BudgetOutcome> =>
    widthsWithin(
      vit,
      costs,
      { parameters: bytes / MIB },
      { ...bench.context, finished: (narrow) => plannedModel(narrow, remaining) },
      multiple,
    );

  it.each([
    [[512, 512, 512, 512], 32],
    [[512, 512, 512, 512], 128],
    [[513, 640, 100, 20], 32],
    [[640, 640, 640, 640], 128],
  ])('is met from widths %j in steps of %d, the wider the larger it is', async (sizes, multiple) => {
    const vit = withWidths(bench.vit, sizes);
    const costs = costsOf(vit);
    const [least, full] = [
      bytesOf(
        vit,
        sizes.map((size) => Math.min(size, multiple)),
      ),
      bytesOf(vit, sizes),
    ];
    let before = 0;
    for (const share of [0, 0.1, 0.35, 0.5, 0.75, 0.99, 1]) {
      const budget = least + share * (full - least);
      const { widths, predicted } = await chosen(vit, costs, budget, multiple);
      expect(predicted).toBe(bytesOf(vit, widths));
      expect(predicted).toBeLessThanOrEqual(budget);
      for (const [block, width] of widths.entries())
        expect(width % multiple === 0 || width === sizes[block]).toBe(true);
      expect(sum(widths)).toBeGreaterThanOrEqual(before);
      before = sum(widths);
      if (share === 0) expect(widths).toEqual(sizes.map((size) => Math.min(size, multiple)));
      if (share === 1) expect(widths).toEqual(sizes);
    }
  });

  it('leaves nothing unused that another step would have taken, where a neuron always takes the same', async () => {
    const costs = costsOf(bench.vit);
    const budget = (bytesOf(bench.vit, [256, 256, 256, 256]) + bytesOf(bench.vit, [512, 512, 512, 512])) / 2;
    const { widths } = await chosen(bench.vit, costs, budget, 256);
    expect(sum(widths)).toBe(3 * 512);
    for (const [block, width] of widths.entries()) {
      if (width === 512) continue;
      const wider = widths.map((each, index) => (index === block ? 512 : each));
      expect(bytesOf(bench.vit, wider)).toBeGreaterThan(budget);
    }
  });

  it('that cannot be met is refused with the least that can', async () => {
    const costs = costsOf(bench.vit);
    const fault = await refusalOf(() => chosen(bench.vit, costs, 0.01 * MIB, 32));
    expect(fault).toMatchObject({ source: 'recipe', place: 'prune.budget.parameters', found: '0.01 MiB' });
    const least = Number(/^at least (\d+\.\d\d) MiB, what the model needs/.exec(fault.expected)![1]);
    expect((await chosen(bench.vit, costs, least * MIB, 32)).widths).toEqual([32, 32, 32, 32]);
    await refusalOf(() => chosen(bench.vit, costs, (least - 0.011) * MIB, 32));
  });
});

describe('a budget of peak memory where nothing can measure', () => {
  const chosen = (
    memory: number,
    batch: number,
    context: Partial<StageContext> = {},
  ): Promise<BudgetOutcome> =>
    widthsWithin(bench.vit, costs, { memory, batch }, { ...bench.context, ...context }, 32);
  let costs: BlockCost[];
  beforeAll(() => {
    costs = costsOf(bench.vit);
  });

  it('is met by prediction, and the wider the larger it is', async () => {
    let before = 0;
    for (const memory of [3, 3.5, 4, 5, 6, 100]) {
      const { widths, budget, predicted, measured } = await chosen(memory, 8);
      expect(budget).toBe(memory * MIB);
      expect(predicted).toBeLessThanOrEqual(budget);
      expect(measured).toBeUndefined();
      for (const width of widths) expect(width % 32).toBe(0);
      expect(sum(widths)).toBeGreaterThanOrEqual(before);
      before = sum(widths);
    }
    expect(before).toBe(2048);
  });

  it('allows less the larger the batch is, unless it runs in micro-batches', async () => {
    const [small, large] = [await chosen(5, 4), await chosen(5, 16)];
    expect(sum(large.widths)).toBeLessThan(sum(small.widths));
    expect(await chosen(5, 16, { microBatch: 4 })).toEqual(small);
  });

  it('allows more neurons when they are to be quantised', async () => {
    const [float, int8] = [
      await chosen(3.5, 8),
      await chosen(3.5, 8, { finished: (narrow) => plannedModel(narrow, quantized({})) }),
    ];
    expect(sum(int8.widths)).toBeGreaterThan(sum(float.widths));
  });

  it('that cannot be met is refused with the least that can', async () => {
    const fault = await refusalOf(() => chosen(0.5, 8));
    expect(fault).toMatchObject({ place: 'prune.budget.memory', found: '0.5 MiB' });
    expect(fault.hint).toMatch(/Quantise in the same recipe/);
    const least = Number(/^at least (\d+\.\d\d) MiB/.exec(fault.expected)![1]);
    expect((await chosen(least, 8)).widths).toEqual([32, 32, 32, 32]);
  });
});

describe('the prune stage with a budget', () => {
  const options = (budget: object): PruneOptions =>
    pruneOptionsSchema.parse({ budget, images: 32, importance: 'flap', compensation: 'mean', multiple: 64 });

  it('makes a model that keeps it, with the widths it chose', async () => {
    const { vit, report } = await prune(bench.vit, bench.context, options({ parameters: 2 }));
    const { widths, budget, predicted } = report.budget!;
    expect(vit.config.mlpSizes).toEqual(widths);
    expect(budget).toBe(2 * MIB);
    expect(constantBytes(buildGraph(vit))).toBe(predicted);
    expect(predicted).toBeLessThanOrEqual(2 * MIB);
    expect(predicted).toBeGreaterThan(1.8 * MIB);
  });

  it('prunes nothing when the model keeps it as it is', async () => {
    const { vit, report } = await prune(bench.vit, bench.context, options({ parameters: 100 }));
    expect(vit.config.mlpSizes).toEqual(bench.vit.config.mlpSizes);
    expect(report.blocks.map(({ loss }) => loss)).toEqual([0, 0, 0, 0]);
  });
});
