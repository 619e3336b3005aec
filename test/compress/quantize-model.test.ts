import { beforeAll, describe, expect, it } from 'vitest';
import {
  isWeightFormat,
  quantizeOptionsSchema,
  type Format,
  type QuantizeOptions,
} from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { modelBytes, writeModel } from '../../src/onnx/file.js';
import { float32 } from '../../src/onnx/tensor.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { linearName, linearNames, linearWidths, type LinearName } from '../../src/vit/linears.js';
import { formOf, weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { useFolder } from '../support/folder.js';
import { dequantized } from './dequantized.js';
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

const folder = useFolder();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const options = (more: object = {}): QuantizeOptions =>
  quantizeOptionsSchema.parse({ images: 32, rows: 256, ...more });

const spread = (): number => Math.max(...bench.reference) - Math.min(...bench.reference);

describe.each<[Format, number, number, string]>([
  ['w8a8', 8, 0.02, 'MatMulIntegerToFloat'],
  ['dynamic', 8, 0.02, 'DynamicQuantizeMatMul'],
  ['w8', 8, 0.02, 'MatMulNBits'],
  ['w4', 4, 0.02, 'MatMulNBits'],
])('a model in %s', (format, bits, tolerance, operator) => {
  let vit: ViT;
  beforeAll(async () => {
    ({ vit } = await quantize(bench.vit, bench.context, options({ format })));
  });

  it('gives what the numbers give that its weights stand for, but for the rounding of inputs', async () => {
    const [found, expected] = [await logitsOf(bench, vit), await logitsOf(bench, await dequantized(vit))];
    expect(maxDifference(found, expected)).toBeLessThan(
      (isWeightFormat(format) ? 1 : 4) * tolerance * spread(),
    );
  });

  it('has a node of its operator for each linear, and no float product for any', () => {
    const { nodes } = buildGraph(vit);
    for (const name of linearNames(vit.config)) {
      const made = nodes.filter(({ outputs }) => outputs.includes(name));
      expect(made.map(({ opType }) => opType)).toEqual([operator]);
    }
    const float = nodes.filter(({ opType }) => opType === 'MatMul' || opType === 'Gemm');
    expect(float.flatMap(({ outputs }) => outputs).some((name) => name.startsWith('layers.'))).toBe(false);
    // The head, and the embedding where it stays float.
    expect(float).toHaveLength(format === 'w8a8' ? 1 : 2);
  });

  it('keeps one integer of so many bits for each weight', () => {
    for (const name of linearNames(vit.config)) {
      const { dtype, dims } = weightOf(vit, `${name}.weight`);
      expect(dtype).toBe(isWeightFormat(format) ? 'uint8' : 'int8');
      const [inputs, outputs] = linearWidths(vit.config, 0, name.split('.')[2] as 'fc1');
      expect(dims.reduce((a, b) => a * b) * 8).toBe(inputs * outputs * bits);
    }
  });

  it('takes as much less room in the file', async () => {
    const sizes: number[] = [];
    for (const [index, model] of [bench.vit, vit].entries()) {
      await writeModel(buildGraph(model), folder(`${index}.onnx`));
      sizes.push(await modelBytes(folder(`${index}.onnx`)));
    }
    const weights = 4 * (4 * 128 * 128 + 2 * 128 * 512);
    const saved = (weights * (32 - bits)) / 8;
    // Scales: one float for each output, or for each 32 inputs of it.
    const scales = isWeightFormat(format) ? (weights / 32) * 4 : 4 * 4 * (5 * 128 + 512);
    // Tensors lie at round offsets, and quantised linears have more nodes and names.
    const slack = 0.025 * saved;
    expect(Math.abs(sizes[0]! - sizes[1]! - (saved - scales))).toBeLessThan(slack);
  });
});

describe('a model as QDQ', () => {
  it('computes what W8A8 computes, in integers once the runtime has fused it', async () => {
    const made = async (format: Format, more: object = {}): Promise<ViT> =>
      (await quantize(bench.vit, bench.context, options({ format, ...more }))).vit;
    // As QDQ the patch embedding stays float.
    const [qdq, w8a8] = [await made('qdq'), await made('w8a8', { keep: ['patch'] })];
    const difference = maxDifference(await logitsOf(bench, qdq), await logitsOf(bench, w8a8));
    expect(difference).toBeLessThan(0.05 * spread());
    const kernels = await kernelsOf(bench, qdq);
    expect(kernels.get('QGemm')).toBe(24);
    expect(kernels.get('Gemm')).toBe(2);
    expect(kernels.has('MatMul') || kernels.has('DequantizeLinear')).toBe(false);
  });
});

describe('neurons that reach much further than others', () => {
  it.each(['w8a8', 'qdq'] as const)('are divided before they are quantised (%s)', async (format) => {
    const [fc1, fc2] = ['layers.0.fc1', 'layers.0.fc2'] as const;
    // One neuron thirty times as large, and its column of FC2 as much smaller: what INT8 must bear.
    const [rows, bias] = [await copyOf(bench.vit, `${fc1}.weight`), await copyOf(bench.vit, `${fc1}.bias`)];
    const columns = await copyOf(bench.vit, `${fc2}.weight`);
    for (let i = 0; i < 128; i++) rows[7 * 128 + i]! *= 30;
    bias[7]! *= 30;
    for (let o = 0; o < 128; o++) columns[o * 512 + 7]! /= 30;
    const wide = withWeights(bench.vit, [
      [`${fc1}.weight`, float32([512, 128], rows)],
      [`${fc1}.bias`, float32([512], bias)],
      [`${fc2}.weight`, float32([128, 512], columns)],
    ]);
    const made = (divideNeurons: boolean): ReturnType<typeof quantize> =>
      quantize(wide, bench.context, options({ format, divideNeurons }));
    const [plain, divided] = [await made(false), await made(true)];
    expect(formOf(divided.vit, fc2)).toHaveProperty('inputDivisors');
    expect(formOf(plain.vit, fc2)).not.toHaveProperty('inputDivisors');
    const of = ({ report }: Awaited<typeof plain>): number =>
      report.linears.find(({ linear }) => linear === fc2)!.sqnr;
    expect(of(divided)).toBeGreaterThan(of(plain) + 2);
    const [found, meant] = [
      await logitsOf(bench, divided.vit),
      await logitsOf(bench, await dequantized(divided.vit)),
    ];
    expect(maxDifference(found, meant)).toBeLessThan(0.08 * spread());
    const kernels = await kernelsOf(bench, divided.vit);
    expect(kernels.get(format === 'qdq' ? 'QGemm' : 'MatMulIntegerToFloat')).toBe(format === 'qdq' ? 24 : 25);
  });
});

describe('a scale for a whole weight', () => {
  it('is the largest that an output needs, and costs more than one for each output', async () => {
    const made = (perChannel: boolean): ReturnType<typeof quantize> =>
      quantize(
        bench.vit,
        bench.context,
        options({ format: 'dynamic', alpha: 'off', clipWeights: false, perChannel }),
      );
    const [whole, each] = [await made(false), await made(true)];
    for (const name of linearNames(bench.vit.config)) {
      const scalesOf = (vit: ViT): number[] => {
        const form = formOf(vit, name);
        return 'weightScales' in form ? [...form.weightScales] : [];
      };
      const largest = Math.max(...scalesOf(each.vit));
      expect(scalesOf(whole.vit)).toEqual(scalesOf(each.vit).map(() => largest));
    }
    const sum = (linears: typeof each.report.linears): number =>
      linears.reduce((total, { sqnr }) => total + sqnr, 0);
    expect(sum(whole.report.linears)).toBeLessThan(sum(each.report.linears));
    expect((await kernelsOf(bench, whole.vit)).get('DynamicQuantizeMatMul')).toBe(24);
  });
});

describe('the signal-to-noise ratio of a linear', () => {
  it('is positive, and larger with 8 bits than with 4, for every linear', async () => {
    const how = { alpha: 'off', biasCorrection: false };
    const [eight, four] = [
      (await quantize(bench.vit, bench.context, options({ ...how, format: 'w8' }))).report.linears,
      (await quantize(bench.vit, bench.context, options({ ...how, format: 'w4' }))).report.linears,
    ];
    expect(four.map(({ linear }) => linear)).toEqual(linearNamesInOrder());
    for (const [index, { sqnr }] of four.entries()) {
      expect(sqnr).toBeGreaterThan(0);
      expect(eight[index]!.sqnr).toBeGreaterThan(sqnr + 10);
    }
  });
});

/** All linears, block by block. */
function linearNamesInOrder(): LinearName[] {
  return [0, 1, 2, 3].flatMap((layer) =>
    (['q', 'k', 'v', 'o', 'fc1', 'fc2'] as const).map((role) => linearName(layer, role)),
  );
}

describe('bias correction', () => {
  it.each(['w8a8', 'w4'] as const)(
    'lowers the mean error of the outputs of every linear (%s)',
    async (format) => {
      const images = 32;
      const pixels = await pixelsOf(await bench.context.calibration.images(images));
      // Only the first block, which reads the same with and without.
      const how = {
        format,
        alpha: 'off',
        images,
        rows: 100_000,
        keep: ['layers.1.*', 'layers.2.*', 'layers.3.*', '*.v', '*.o', '*.fc*'],
      };
      const names = ['layers.0.q', 'layers.0.k'];
      const float = await valuesOf(bench, bench.vit, names, pixels);
      const meanError = async (biasCorrection: boolean): Promise<number[]> => {
        const { vit } = await quantize(bench.vit, bench.context, options({ ...how, biasCorrection }));
        const found = await valuesOf(bench, vit, names, pixels);
        return names.map((name) => {
          const means = new Float64Array(128);
          const rows = found.get(name)!.length / 128;
          for (const [i, v] of found.get(name)!.entries())
            means[i % 128]! += (v - float.get(name)![i]!) / rows;
          return means.reduce((sum, mean) => sum + mean * mean, 0);
        });
      };
      const [without, corrected] = [await meanError(false), await meanError(true)];
      for (const [index, error] of corrected.entries()) expect(error).toBeLessThan(0.5 * without[index]!);
    },
  );

  it('changes biases alone', async () => {
    const how = { format: 'w8', alpha: 'off', keep: ['layers.1.*', 'layers.2.*', 'layers.3.*'] };
    const { vit: plain } = await quantize(
      bench.vit,
      bench.context,
      options({ ...how, biasCorrection: false }),
    );
    const { vit: corrected } = await quantize(bench.vit, bench.context, options(how));
    for (const name of linearNames(plain.config).slice(0, 6)) {
      expect(await weightOf(corrected, `${name}.weight`).read()).toEqual(
        await weightOf(plain, `${name}.weight`).read(),
      );
      expect(await copyOf(plain, `${name}.bias`)).toEqual(await copyOf(bench.vit, `${name}.bias`));
      expect(await copyOf(corrected, `${name}.bias`)).not.toEqual(await copyOf(plain, `${name}.bias`));
    }
  });
});

describe('an error budget', () => {
  const crude = {
    format: 'w4',
    blockSize: 256,
    alpha: 'off',
    clipWeights: false,
    biasCorrection: false,
    images: 8,
  };

  it('that holds from the start returns nothing', async () => {
    const { report } = await quantize(
      bench.vit,
      bench.context,
      options({ budget: { agreement: 0.5, images: 64 } }),
    );
    expect(report).toMatchObject({ returned: [], withinBudget: true });
    expect(report.agreement!).toBeGreaterThanOrEqual(0.5);
  });

  it('returns more linears the stricter it is, the worst of them first', async () => {
    const returned: string[][] = [];
    for (const agreement of [0.8, 0.97, 1]) {
      const budget = { agreement, images: 128 };
      const { report } = await quantize(bench.vit, bench.context, options({ ...crude, budget }));
      expect(report.agreement!).toBeGreaterThanOrEqual(agreement);
      returned.push([...report.returned]);
    }
    expect(returned[1]!.slice(0, returned[0]!.length)).toEqual(returned[0]);
    expect(returned[2]!.slice(0, returned[1]!.length)).toEqual(returned[1]);
    expect(returned[2]!.length).toBeGreaterThan(returned[0]!.length);
  });

  it('is undefined in the report when there is none', async () => {
    const { report } = await quantize(bench.vit, bench.context, options({ alpha: 'off', images: 8 }));
    expect(report).toMatchObject({ returned: [], agreement: undefined, withinBudget: undefined });
  });
});
