import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeOptionsSchema, type QuantizeOptions } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { viewAs } from '../../src/onnx/tensor.js';
import { linearNames, type LinearName } from '../../src/vit/linears.js';
import { formCounts, formOf } from '../../src/vit/vit.js';
import { kernelsOf, logitsOf, maxDifference, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const options = (more: object = {}): QuantizeOptions =>
  quantizeOptionsSchema.parse({ images: 64, rows: 256, ...more });

const meanSqnr = (linears: readonly { sqnr: number }[]): number =>
  linears.reduce((sum, { sqnr }) => sum + sqnr, 0) / linears.length;

describe('W8A8', () => {
  it('stores int8 and runs in int8 kernels, all linears of all blocks and the embedding of the patches', async () => {
    const { vit, report } = await quantize(bench.vit, bench.context, options());
    expect(formCounts(vit)).toEqual({ float: 0, int8: 24, qdq: 0, dynamic: 0, blockwise: 0 });
    expect(vit.weights.get('layers.0.fc1.weight')).toMatchObject({ dtype: 'int8', dims: [512, 128] });
    const kernels = await kernelsOf(bench, vit);
    expect(kernels.get('MatMulIntegerToFloat')).toBe(25);
    // The head.
    expect(kernels.get('Gemm')).toBe(1);
    expect(report.linears.map(({ linear }) => linear)).toEqual(['patch', ...linearNames(vit.config)]);
    for (const { sqnr } of report.linears) expect(sqnr).toBeGreaterThan(25);
  });

  it.each([{}, { clipWeights: false, rounding: 'feedback' }])(
    'keeps pairs of weights within 16 bits at any input, the embedding too: %j',
    async (more) => {
      const { vit } = await quantize(bench.vit, bench.context, options(more));
      const largest = new Map<string, number>();
      for (const [name, tensor] of vit.weights) {
        if (tensor.dtype !== 'int8') continue;
        const [outputs, inputs] = [tensor.dims[0]!, tensor.dims[1]!];
        const steps = viewAs(await tensor.read(), Int8Array);
        let most = 0;
        for (let o = 0; o < outputs; o++)
          for (let i = o * inputs; i + 1 < (o + 1) * inputs; i += 2)
            if (steps[i]! * steps[i + 1]! > 0) most = Math.max(most, Math.abs(steps[i]! + steps[i + 1]!));
        largest.set(name, most);
      }
      expect(largest.size).toBe(25);
      expect(Math.max(...largest.values())).toBe(128);
    },
  );

  it('stays near the float logits', async () => {
    const { vit } = await quantize(bench.vit, bench.context, options());
    const logits = await logitsOf(bench, vit);
    const spread = Math.max(...bench.reference) - Math.min(...bench.reference);
    expect(maxDifference(logits, bench.reference)).toBeLessThan(0.1 * spread);
    expect(maxDifference(logits, bench.reference)).toBeGreaterThan(1e-4);
  });

  it('is better with the searches than without any of them', async () => {
    const plain = {
      alpha: 'off',
      shift: false,
      clipInputs: false,
      clipWeights: false,
      biasCorrection: false,
    };
    const [searched, naive] = [
      await quantize(bench.vit, bench.context, options()),
      await quantize(bench.vit, bench.context, options(plain)),
    ];
    expect(meanSqnr(searched.report.linears)).toBeGreaterThan(meanSqnr(naive.report.linears));
  });

  it('finds an α that is at least as good as a fixed one, in the first block', async () => {
    const first = { keep: ['layers.1.*', 'layers.2.*', 'layers.3.*'], clipInputs: false, clipWeights: false };
    const errors = async (alpha: 'search' | number): Promise<number> => {
      const { report } = await quantize(bench.vit, bench.context, options({ ...first, alpha }));
      const fc1 = report.linears.find(({ linear }) => linear === 'layers.0.fc1')!;
      return fc1.sqnr;
    };
    const searched = await errors('search');
    for (const alpha of [0, 0.5, 1]) expect(searched).toBeGreaterThanOrEqual((await errors(alpha)) - 1e-6);
  });

  it('leaves float what it is told to keep', async () => {
    const { vit, report } = await quantize(
      bench.vit,
      bench.context,
      options({ keep: ['layers.*.fc2', 'layers.3.*'] }),
    );
    expect(report.kept).toHaveLength(9);
    for (const name of linearNames(vit.config)) {
      const kept = name.endsWith('fc2') || name.startsWith('layers.3.');
      expect(formOf(vit, name).kind).toBe(kept ? 'float' : 'int8');
    }
    expect((await kernelsOf(bench, vit)).get('MatMulIntegerToFloat')).toBe(15 + 1);
  });

  it('returns the worst linears to float until the budget holds, and no more than that', async () => {
    // Without any search of ranges and with few images some images change their class.
    const crude = { alpha: 'off', clipInputs: false, shift: false, clipWeights: false, images: 8 };
    const strict = { ...crude, budget: { agreement: 1, images: 128 } };
    const w4 = { ...strict, format: 'w4', blockSize: 256 };
    const { vit, report } = await quantize(bench.vit, bench.context, options(w4));
    expect(report.withinBudget).toBe(true);
    expect(report.agreement).toBe(1);
    expect(report.returned.length).toBeGreaterThan(0);
    const bySqnr = [...report.linears].sort((a, b) => a.sqnr - b.sqnr).map(({ linear }) => linear);
    expect(report.returned).toEqual(bySqnr.slice(0, report.returned.length));
    for (const name of report.returned) expect(formOf(vit, name as LinearName).kind).toBe('float');
    expect(formCounts(vit).float).toBe(report.returned.length);
  });

  it('with everything returned to float computes what it computed before, to 1e-4', async () => {
    const { vit, report } = await quantize(
      bench.vit,
      bench.context,
      options({ format: 'w4', blockSize: 256, budget: { agreement: 1, images: 128 } }),
    );
    const everything = await quantize(bench.vit, bench.context, options({ keep: ['*'] }));
    expect(report.returned.length).toBeLessThanOrEqual(24);
    expect(formCounts(everything.vit).float).toBe(24);
    expect(maxDifference(await logitsOf(bench, everything.vit), bench.reference)).toBeLessThan(1e-4);
    expect(vit.config).toEqual(bench.vit.config);
  });
});

describe.each([
  ['w8', 8],
  ['w4', 4],
] as const)('weight-only %s', (format, bits) => {
  it(`stores ${bits} bits a weight and runs in MatMulNBits`, async () => {
    const { vit, report } = await quantize(bench.vit, bench.context, options({ format }));
    expect(formCounts(vit)).toEqual({ float: 0, int8: 0, qdq: 0, dynamic: 0, blockwise: 24 });
    expect(vit.weights.get('layers.0.fc2.weight')!.dims).toEqual([128, 16, (32 * bits) / 8]);
    expect((await kernelsOf(bench, vit)).get('MatMulNBits')).toBe(24);
    expect(meanSqnr(report.linears)).toBeGreaterThan(bits === 8 ? 40 : 18);
    const spread = Math.max(...bench.reference) - Math.min(...bench.reference);
    const difference = maxDifference(await logitsOf(bench, vit), bench.reference);
    expect(difference).toBeLessThan((bits === 8 ? 0.05 : 0.4) * spread);
  });
});

describe('quantising twice', () => {
  it('is refused in words', async () => {
    const { vit } = await quantize(bench.vit, bench.context, options());
    await expect(quantize(vit, bench.context, options())).rejects.toThrow(
      /found int8 weights; expected float weights: stages that change weights come before/,
    );
  });
});
