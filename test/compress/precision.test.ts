import { beforeAll, describe, expect, it } from 'vitest';
import { precisionOptionsSchema, type PrecisionOptions } from '../../src/compress/precision/options.js';
import { precision, type PrecisionReport } from '../../src/compress/precision/stage.js';
import { quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { modelBytes, writeModel } from '../../src/onnx/file.js';
import { float16Bits, float16Value } from '../../src/onnx/half.js';
import { constantBytes } from '../../src/onnx/liveness.js';
import { float32 } from '../../src/onnx/tensor.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { linearNames, type LinearName } from '../../src/vit/linears.js';
import { weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { useFolder } from '../support/folder.js';
import { multiply, transpose } from './reference.js';
import { copyOf, kernelsOf, logitsOf, maxDifference, openBench, pixelsOf, valuesOf } from './support.js';
import type { Bench } from './support.js';

const folder = useFolder();
let bench: Bench;
let spread: number;
beforeAll(async () => {
  bench = await openBench();
  spread = Math.max(...bench.reference) - Math.min(...bench.reference);
});

const options = (more: object = {}): PrecisionOptions =>
  precisionOptionsSchema.parse({ images: 16, ...more });

async function fileBytes(vit: ViT, name: string): Promise<number> {
  await writeModel(buildGraph(vit), folder(name));
  return modelBytes(folder(name));
}

const verdict = (report: PrecisionReport, component: string): PrecisionReport['components'][number] =>
  report.components.find((each) => each.component === component)!;

const halved = (vit: ViT): string[] =>
  [...vit.weights].filter(([, { dtype }]) => dtype === 'float16').map(([name]) => name);

/** A model with some elements of a tensor changed. */
async function changed(name: string, change: (values: Float32Array) => void): Promise<ViT> {
  const values = await copyOf(bench.vit, name);
  change(values);
  return withWeights(bench.vit, [[name, float32(weightOf(bench.vit, name).dims, values)]]);
}

describe('float16 by name', () => {
  it('stores what the patterns name, and nothing else', async () => {
    const { vit, report } = await precision(
      bench.vit,
      bench.context,
      options({ float16: ['layers.*.fc1', 'head'] }),
    );
    expect(halved(vit).sort()).toEqual(
      ['head.weight', ...[0, 1, 2, 3].map((layer) => `layers.${layer}.fc1.weight`)].sort(),
    );
    expect(verdict(report, 'layers.2.fc1')).toMatchObject({ stored: 'float16', because: undefined });
    expect(verdict(report, 'layers.2.q')).toMatchObject({ stored: 'unchanged', because: 'not selected' });
  });

  it('puts no image through the model where no linear is named, and says the same of every component', async () => {
    const float16 = ['patch', 'cls', 'positions', 'head'];
    let drawn = 0;
    const calibration = {
      ...bench.context.calibration,
      images: (count: number) => {
        drawn += 1;
        return bench.context.calibration.images(count);
      },
    };
    const context = { ...bench.context, calibration };
    const { vit, report } = await precision(bench.vit, context, options({ float16 }));
    expect([drawn, report.images]).toEqual([0, 0]);
    expect(halved(vit).sort()).toEqual(['cls', 'head.weight', 'patch.weight', 'positions']);
    const all = await precision(bench.vit, context, options({ float16: [...float16, 'layers.3.fc2'] }));
    expect([drawn, all.report.images]).toEqual([1, 16]);
    const others = ({ components }: PrecisionReport): unknown =>
      components.filter(({ component }) => component !== 'layers.3.fc2');
    expect(others(report)).toEqual(others(all.report));
  });

  it('makes the file smaller by what it says, and the logits differ as float16 does', async () => {
    const { vit, report } = await precision(bench.vit, bench.context, options());
    const [before, after] = [await fileBytes(bench.vit, 'a.onnx'), await fileBytes(vit, 'b.onnx')];
    // The nodes that widen the weights take a little.
    expect(before - after).toBeGreaterThan(0.98 * report.savedBytes);
    expect(before - after).toBeLessThanOrEqual(report.savedBytes);
    expect(after).toBeLessThan(0.53 * before);
    const difference = maxDifference(await logitsOf(bench, vit), bench.reference);
    expect(difference).toBeLessThan(2e-3 * spread);
    expect(difference).toBeGreaterThan(0);
  });

  it('computes what float32 weights compute that were rounded to float16', async () => {
    const { vit } = await precision(bench.vit, bench.context, options());
    const rounded: [string, ReturnType<typeof float32>][] = [];
    for (const name of halved(vit)) {
      const values = (await copyOf(bench.vit, name)).map((value) => float16Value(float16Bits(value)));
      rounded.push([name, float32(weightOf(bench.vit, name).dims, values)]);
    }
    const reference = await logitsOf(bench, withWeights(bench.vit, rounded));
    expect(maxDifference(await logitsOf(bench, vit), reference)).toBeLessThan(1e-6);
  });

  it('leaves LayerNorm and biases float32 even where a pattern says everything', async () => {
    const { vit } = await precision(bench.vit, bench.context, options({ float16: ['*'] }));
    for (const [name, { dtype }] of vit.weights)
      expect([name, dtype]).toEqual([name, /norm|bias/.test(name) ? 'float32' : 'float16']);
  });

  it('finds nothing more to save the second time', async () => {
    const once = await precision(bench.vit, bench.context, options());
    const twice = await precision(once.vit, bench.context, options());
    expect(once.report.savedBytes).toBeGreaterThan(0);
    expect(twice.report.savedBytes).toBe(0);
    expect(await logitsOf(bench, twice.vit)).toEqual(await logitsOf(bench, once.vit));
  });

  it('leaves quantised linears as they are, and says so', async () => {
    const w8 = quantizeOptionsSchema.parse({ format: 'w8', alpha: 'off', images: 8, keep: ['layers.0.*'] });
    const { vit } = await quantize(bench.vit, bench.context, w8);
    const { vit: mixed, report } = await precision(vit, bench.context, options());
    expect(verdict(report, 'layers.1.q')).toMatchObject({ stored: 'unchanged', because: 'quantised' });
    expect(verdict(report, 'layers.0.q').stored).toBe('float16');
    expect(weightOf(mixed, 'layers.1.q.weight')).toBe(weightOf(vit, 'layers.1.q.weight'));
  });
});

describe('what does not fit into float16', () => {
  it('stays float32 where a weight is beyond its largest number, and the report says so', async () => {
    const vit = await changed('head.weight', (values) => (values[5] = -70_000));
    const { vit: stored, report } = await precision(vit, bench.context, options());
    expect(weightOf(stored, 'head.weight').dtype).toBe('float32');
    expect(verdict(report, 'head')).toMatchObject({
      ...{ stored: 'unchanged', because: 'weights overflow', largestWeight: 70_000 },
    });
    expect(verdict(report, 'patch').stored).toBe('float16');
    expect((await logitsOf(bench, stored)).every(Number.isFinite)).toBe(true);
  });

  it('is stored where the largest weight still fits', async () => {
    const vit = await changed('head.weight', (values) => (values[5] = 65_000));
    const { vit: stored, report } = await precision(vit, bench.context, options());
    expect(verdict(report, 'head')).toMatchObject({ stored: 'float16', largestWeight: 65_000 });
    expect(weightOf(stored, 'head.weight').dtype).toBe('float16');
  });

  it('keeps the whole block float32 where an activation comes near the end of the range', async () => {
    const vit = await changed('layers.2.fc1.bias', (values) => (values[7] = 40_000));
    const { vit: stored, report } = await precision(vit, bench.context, options());
    expect(report.largestActivations[2]).toBeGreaterThan(39_000);
    for (const role of ['q', 'k', 'v', 'o', 'fc1', 'fc2']) {
      expect(verdict(report, `layers.2.${role}`).because).toBe('activations overflow');
      expect(weightOf(stored, `layers.2.${role}.weight`).dtype).toBe('float32');
      expect(verdict(report, `layers.0.${role}`).stored).toBe('float16');
    }
    const { report: generous } = await precision(vit, bench.context, options({ headroom: 1 }));
    expect(verdict(generous, 'layers.2.fc1').stored).toBe('float16');
  });
});

describe('float16 by sensitivity', () => {
  it('keeps float32 the linears that would lose more than allowed, and only those', async () => {
    const { report: all } = await precision(bench.vit, bench.context, options({ sensitivity: 1 }));
    const ratios = linearNames(bench.vit.config).map((name) => verdict(all, name).sqnr!);
    const middle = [...ratios].sort((a, b) => a - b)[12]!;
    const { report } = await precision(bench.vit, bench.context, options({ sensitivity: middle }));
    const kept = linearNames(bench.vit.config).filter(
      (name) => verdict(report, name).because === 'sensitive',
    );
    expect(kept).toHaveLength(12);
    for (const name of kept) expect(verdict(report, name).sqnr!).toBeLessThan(middle);
  });

  it.each<[LinearName, string]>([
    ['layers.0.q', 'layers.0.norm1'],
    ['layers.3.fc2', 'layers.3.gelu'],
  ])('measures %s as a float64 reference does on all rows, to half a decibel', async (linear, input) => {
    const { report } = await precision(bench.vit, bench.context, options({ sensitivity: 1 }));
    const pixels = await pixelsOf(await bench.context.calibration.images(16));
    const x = (await valuesOf(bench, bench.vit, [input], pixels)).get(input)!;
    const weight = await copyOf(bench.vit, `${linear}.weight`);
    const bias = await copyOf(bench.vit, `${linear}.bias`);
    const inputs = weight.length / bias.length;
    const y = multiply(x, transpose(weight, bias.length), inputs).map((v, i) => v + bias[i % bias.length]!);
    const lost = weight.map((w) => w - float16Value(float16Bits(w)));
    const noise = multiply(x, transpose(lost, bias.length), inputs);
    const power = (values: Float64Array): number => values.reduce((sum, v) => sum + v * v, 0);
    expect(Math.abs(verdict(report, linear).sqnr! - 10 * Math.log10(power(y) / power(noise)))).toBeLessThan(
      0.5,
    );
  });
});

describe('a target without float16 kernels', () => {
  it('is told what it gets: a smaller file, and the memory and the kernels of float32', async () => {
    const { vit, report } = await precision(bench.vit, bench.context, options());
    expect(report.savedBytes).toBeGreaterThan(0);
    expect(constantBytes(buildGraph(vit))).toBe(constantBytes(buildGraph(bench.vit)));
    expect(await kernelsOf(bench, vit)).toEqual(await kernelsOf(bench, bench.vit));
  });
});
