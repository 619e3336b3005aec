import { beforeAll, describe, expect, it } from 'vitest';
import { compress } from '../../src/compress/pipeline.js';
import { plannedModel } from '../../src/compress/planned.js';
import { withWidths } from '../../src/compress/stand-ins.js';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { compensations, importances, pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { prune } from '../../src/compress/prune/stage.js';
import { formats, quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { fp32 } from '../../src/compress/recipe.js';
import type { Step } from '../../src/compress/stage.js';
import { floatEntry } from '../../src/compress/weights.js';
import { tensorOf } from '../../src/onnx/tensor.js';
import { withWeights, type ViT } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { changed, named } from './steps.js';
import { copyOf, logitsOf, maxDifference, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const altered = (changes: Parameters<typeof changed>[1]): Promise<ViT> => changed(bench.vit, changes);

const spreadOf = (logits: Float32Array): number => Math.max(...logits) - Math.min(...logits);

describe('one calibration image', () => {
  it.each(named)('is enough for %s to make a model that computes', async (_, step) => {
    const one = { ...step, options: { ...step.options, images: 1 } } as Step;
    const { vit, stages } = await compress(bench.vit, { ...fp32, steps: [one] }, bench.context);
    expect(stages[0]!.report).toMatchObject({ images: 1 });
    const logits = await logitsOf(bench, vit);
    expect(logits.every(Number.isFinite)).toBe(true);
    expect(spreadOf(logits)).toBeGreaterThan(0.1 * spreadOf(bench.reference));
  });
});

describe('more calibration images than there are', () => {
  it('are as many as there are, and the report says how many', async () => {
    const step: Step = { stage: 'profile', options: profileOptionsSchema.parse({ images: 1_000_000 }) };
    const { stages } = await compress(bench.vit, { ...fp32, steps: [step] }, bench.context);
    expect(stages[0]!.report).toMatchObject({ images: Math.floor(bench.data.train.count * 0.75) });
  });
});

describe('neurons that always give the same', () => {
  /** The neurons `0 … count` of a block give GELU(bias), whatever they read. */
  const dead = (layer: number, count: number, bias: number): Promise<ViT> =>
    altered({
      [`layers.${layer}.fc1.weight`]: (values) => values.fill(0, 0, count * 128),
      [`layers.${layer}.fc1.bias`]: (values) => values.fill(bias, 0, count),
    });

  it.each([0, 1])('(bias %d) are all that goes as long as there are enough of them', async (bias) => {
    const vit = await dead(1, 256, bias);
    const before = await logitsOf(bench, vit);
    // An eighth of all neurons: just the dead half of one block of four.
    const options = { images: 64, ratio: 0.125, importance: 'flap', compensation: 'mean' };
    const { vit: pruned, report } = await prune(vit, bench.context, pruneOptionsSchema.parse(options));
    expect(pruned.config.mlpSizes).toEqual([512, 256, 512, 512]);
    expect(report.blocks[1]!.loss).toBeLessThan(1e-9);
    expect(maxDifference(await logitsOf(bench, pruned), before)).toBeLessThan(1e-4 * spreadOf(before));
  });

  it.each([-20, 1])('(bias %d) are most of what goes by least squares, too', async (bias) => {
    const vit = await dead(1, 256, bias);
    const before = await logitsOf(bench, vit);
    const options = pruneOptionsSchema.parse({ images: 64, ratio: 0.125 });
    const { vit: pruned } = await prune(vit, bench.context, options);
    expect(pruned.config.mlpSizes[1]).toBeLessThanOrEqual(320);
    expect(maxDifference(await logitsOf(bench, pruned), before)).toBeLessThan(0.02 * spreadOf(before));
  });

  it.each([0, 1000])(
    '(bias %d) may be all of a block: it is narrowed to the least and gives the same',
    async (bias) => {
      const vit = await dead(2, 512, bias);
      const before = await logitsOf(bench, vit);
      const { vit: pruned, report } = await prune(
        vit,
        bench.context,
        pruneOptionsSchema.parse({ images: 32, ratio: 0.234375 }),
      );
      expect(pruned.config.mlpSizes).toEqual([512, 512, 32, 512]);
      expect(report.blocks[2]!.loss).toBeLessThan(1e-12);
      expect(maxDifference(await logitsOf(bench, pruned), before)).toBeLessThan(1e-3 * spreadOf(before));
    },
  );

  it.each([
    ...importances.map((importance) => [importance, 'least-squares'] as const),
    ...compensations
      .filter((compensation) => compensation !== 'least-squares')
      .map((compensation) => ['flap', compensation] as const),
  ])('are no obstacle to %s with %s', async (importance, compensation) => {
    const options = pruneOptionsSchema.parse({ images: 8, ratio: 0.25, importance, compensation });
    const { vit, report } = await prune(await dead(0, 500, 0), bench.context, options);
    expect(report.neuronsAfter).toBe(1536);
    for (const { loss } of report.blocks) expect(loss).toBeGreaterThanOrEqual(0);
    expect((await logitsOf(bench, vit)).every(Number.isFinite)).toBe(true);
  });

  it.each(formats)('are quantised to %s without harm', async (format) => {
    const vit = await altered({
      // A channel that norm2 always gives the same, one that is always zero, and neurons of which nobody reads anything.
      'layers.1.norm2.weight': (values) => values.fill(0, 0, 2),
      'layers.1.norm2.bias': (values) => values.set([0.7, 0]),
      'layers.1.fc1.weight': (values) => values.fill(0, 0, 64 * 128),
      'layers.2.q.weight': (values) => values.fill(0),
      'layers.2.k.weight': (values) => values.fill(0),
      'layers.2.k.bias': (values) => values.fill(0),
    });
    const before = await logitsOf(bench, vit);
    const options = quantizeOptionsSchema.parse({ images: 32, rows: 128, format });
    const { vit: quantized, report } = await quantize(vit, bench.context, options);
    for (const { sqnr } of report.linears) expect(sqnr).toBeGreaterThan(10);
    expect(report.linears.find(({ linear }) => linear === 'layers.2.k')!.sqnr).toBe(Infinity);
    const share = format === 'w4' ? 0.4 : 0.1;
    expect(maxDifference(await logitsOf(bench, quantized), before)).toBeLessThan(share * spreadOf(before));
  });
});

describe('an MLP whose width is no multiple', () => {
  const sizes = [100, 33, 20, 64];
  let odd: ViT;
  beforeAll(() => {
    odd = plannedModel(withWidths(bench.vit, sizes), []);
  });

  it.each(['uniform', 'global'] as const)(
    'is pruned to multiples, or left as it is (%s)',
    async (allocation) => {
      const options = pruneOptionsSchema.parse({ images: 8, ratio: 0.3, allocation });
      const { vit } = await prune(odd, bench.context, options);
      for (const [layer, width] of vit.config.mlpSizes.entries())
        expect(width % 32 === 0 || width === sizes[layer]).toBe(true);
      expect(vit.config.mlpSizes).not.toEqual(sizes);
      expect(vit.config.mlpSizes[2]).toBe(20);
      expect((await logitsOf(bench, vit)).every(Number.isFinite)).toBe(true);
    },
  );

  it.each(['uniform', 'global'] as const)(
    'is not pruned where no step fits into it (%s)',
    async (allocation) => {
      const narrow = plannedModel(withWidths(bench.vit, [20, 20, 20, 20]), []);
      const options = pruneOptionsSchema.parse({ images: 8, ratio: 0.3, allocation });
      const fault = await refusalOf(() => prune(narrow, bench.context, options));
      expect(fault).toMatchObject({ source: 'recipe', place: 'prune.ratio' });
      expect(fault.hint).toMatch(/smaller "multiple"/);
    },
  );

  it.each(formats)('is quantised to %s in whole, the last block padded', async (format) => {
    const before = await logitsOf(bench, odd);
    const options = quantizeOptionsSchema.parse({ images: 16, rows: 64, format, blockSize: 64 });
    const { vit, report } = await quantize(odd, bench.context, options);
    for (const { sqnr } of report.linears) expect(sqnr).toBeGreaterThan(10);
    expect(maxDifference(await logitsOf(bench, vit), before)).toBeLessThan(0.25 * spreadOf(before));
  });
});

describe('linears without a bias', () => {
  const none = (): Promise<ViT> =>
    altered(
      Object.fromEntries(
        [0, 1, 2, 3].flatMap((layer) =>
          ['q', 'k', 'v', 'o', 'fc1', 'fc2'].map((role) => [
            `layers.${layer}.${role}.bias`,
            (values: Float32Array) => values.fill(0),
          ]),
        ),
      ),
    );

  it('get one where a shift or a correction needs it', async () => {
    const vit = await none();
    const before = await logitsOf(bench, vit);
    const { vit: quantized } = await quantize(
      vit,
      bench.context,
      quantizeOptionsSchema.parse({ images: 32, rows: 128 }),
    );
    expect((await copyOf(quantized, 'layers.0.q.bias')).some((value) => value !== 0)).toBe(true);
    expect(maxDifference(await logitsOf(bench, quantized), before)).toBeLessThan(0.1 * spreadOf(before));
  });
});

describe('new elements of a float16 tensor', () => {
  const half = (): ViT =>
    withWeights(bench.vit, [['head.weight', tensorOf('float16', [10, 128], new Uint16Array(1280))]]);

  it('stay float16 as long as they fit, and become float32 rather than infinite', () => {
    const [, fits] = floatEntry(half(), 'head.weight', [2], Float32Array.of(65_504, -1));
    expect(fits.dtype).toBe('float16');
    const [, large] = floatEntry(half(), 'head.weight', [2], Float32Array.of(70_000, -1));
    expect(large.dtype).toBe('float32');
  });
});
