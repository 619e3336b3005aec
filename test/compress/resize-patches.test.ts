import { beforeAll, describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { multiplications } from '../../src/compress/merge-tokens/schedule.js';
import { withMerges } from '../../src/compress/merge-tokens/stage.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { precision } from '../../src/compress/precision/stage.js';
import { resizePatchesOptionsSchema } from '../../src/compress/resize-patches/options.js';
import { largerPatch, resizedWeights } from '../../src/compress/resize-patches/patches.js';
import { resizePatches } from '../../src/compress/resize-patches/stage.js';
import { resizePatchesStage } from '../../src/compress/stages/resize-patches.js';
import { floatsOf } from '../../src/compress/weights.js';
import { seededRandom } from '../../src/base/random.js';
import { patchCount, tokenCount } from '../../src/vit/config.js';
import { weightShapes, weightOf } from '../../src/vit/vit.js';
import { refusalOf } from '../support/refusal.js';
import { fingerprint, maxDifference, openBench, type Bench } from './support.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const options = (keep?: number): ReturnType<typeof resizePatchesOptionsSchema.parse> =>
  resizePatchesOptionsSchema.parse({ images: 16, ...(keep !== undefined && { keep }) });

describe('the larger patch', () => {
  const patchOf = (image: number, patch: number, keep: number): number | undefined =>
    largerPatch({ imageSize: square(image), patchSize: square(patch) }, keep)?.height;

  it('divides the image, and is the largest that leaves enough patches', () => {
    expect(patchOf(112, 14, 0.75)).toBe(16);
    expect(patchOf(224, 14, 0.75)).toBe(16);
    expect(patchOf(224, 14, 0.2)).toBe(28);
    expect(patchOf(32, 4, 0.25)).toBe(8);
  });

  it('is none where the next one leaves too few', () => {
    expect(patchOf(224, 16, 0.75)).toBeUndefined();
    expect(patchOf(32, 4, 0.26)).toBeUndefined();
    expect(patchOf(32, 32, 0.01)).toBeUndefined();
  });

  it('keeps the shape of patches that are not square', () => {
    const sizes = { imageSize: { height: 64, width: 96 }, patchSize: { height: 4, width: 8 } };
    expect(largerPatch(sizes, 0.25)).toEqual({ height: 8, width: 16 });
    expect(largerPatch({ ...sizes, imageSize: { height: 64, width: 72 } }, 0.25)).toBeUndefined();
  });
});

describe('the weights for larger patches', () => {
  // A row of 16 pixels, (7 i² + 3 i) mod 101 hundredths, and what Pillow 13 makes of it by resize((14, …), BICUBIC) in mode F.
  const row = Float64Array.from({ length: 16 }, (_, i) => ((7 * i * i + 3 * i) % 101) / 100);
  const pillow = [
    ...[0.003603, 0.137296, 0.51735, 0.456963, 0.637606, 0.758943, 0.61009],
    ...[0.719427, 0.727168, 0.39115, 0.577024, 0.167602, 0.009749, 0.032638],
  ];
  const random = seededRandom(3);
  const weight = Float32Array.from({ length: 2 * 14 * 14 }, () => random.uniform() - 0.5);
  const larger = resizedWeights(weight, square(14), square(16));

  it.each(['across', 'down'] as const)(
    'give what the smaller ones would of the patch resized by Pillow, %s',
    (way) => {
      const given = (values: Float32Array, kernel: number, side: number, line: ArrayLike<number>): number => {
        let sum = 0;
        for (let y = 0; y < side; y++)
          for (let x = 0; x < side; x++)
            sum += values[(kernel * side + y) * side + x]! * line[way === 'across' ? x : y]!;
        return sum;
      };
      for (const kernel of [0, 1])
        expect(given(larger, kernel, 16, row)).toBeCloseTo(given(weight, kernel, 14, pillow), 4);
    },
  );
});

describe('the stage resize-patches', () => {
  it('leaves fewer patches of the same image, and says what it did', async () => {
    const { vit } = bench;
    const { vit: resized, report } = await resizePatches(vit, bench.context, options(0.25));
    expect(resized.config.imageSize).toEqual(vit.config.imageSize);
    expect(patchCount(resized.config)).toBe(patchCount(vit.config) / 4);
    for (const [name, dims] of weightShapes(resized.config))
      expect(weightOf(resized, name).dims).toEqual(dims);
    expect(report).toMatchObject({
      ...{ before: { patches: patchCount(vit.config) }, after: { patches: patchCount(resized.config) } },
      multiplications: { before: multiplications(vit.config), after: multiplications(resized.config) },
    });
    expect(report.apart!.error).toBeGreaterThan(0);
    const planned = resizePatchesStage.shape(vit, options(0.25));
    expect(planned.config).toEqual(resized.config);
    const { headline } = resizePatchesStage.summarise(
      resizePatchesStage.report.parse(JSON.parse(JSON.stringify(report))),
      {},
    );
    expect(headline[0]).toMatchObject({ value: patchCount(resized.config), of: patchCount(vit.config) });
  });

  it('keeps the positions of tokens before the patches, and those of patches within the range of the learned ones', async () => {
    const { vit } = bench;
    const { vit: resized } = await resizePatches(vit, bench.context, options(0.25));
    const [before, after] = [await floatsOf(vit, 'positions'), await floatsOf(resized, 'positions')];
    const width = vit.config.hiddenSize;
    const prefix = tokenCount(vit.config) - patchCount(vit.config);
    expect(after.subarray(0, prefix * width)).toEqual(before.subarray(0, prefix * width));
    // From 4 × 4 to 2 × 2 each is a mean of its neighbours with weights that sum to one: the mean over patches stays about the same.
    const mean = (values: Float32Array, column: number): number => {
      let sum = 0;
      for (let i = prefix * width + column; i < values.length; i += width) sum += values[i]!;
      return sum / (values.length / width - prefix);
    };
    const spread = Math.max(...before.map(Math.abs));
    for (let column = 0; column < width; column += 7)
      expect(Math.abs(mean(after, column) - mean(before, column))).toBeLessThan(0.2 * spread);
  });

  it('reads an embedding and positions that are stored as float16', async () => {
    const half16 = precisionOptionsSchema.parse({ float16: ['patch', 'positions'], images: 16 });
    const { vit: half } = await precision(bench.vit, bench.context, half16);
    expect(weightOf(half, 'positions').dtype).toBe('float16');
    const [{ vit: found }, { vit: exact }] = [
      await resizePatches(half, bench.context, options(0.25)),
      await resizePatches(bench.vit, bench.context, options(0.25)),
    ];
    for (const name of ['positions', 'patch.weight']) {
      const [stored, whole] = [await floatsOf(found, name), await floatsOf(exact, name)];
      const largest = Math.max(...whole.map(Math.abs));
      expect(maxDifference(stored, whole)).toBeLessThan(2e-3 * largest);
    }
  });

  it('leaves the model as it is where no larger patch leaves enough', async () => {
    const { vit, report } = await resizePatches(bench.vit, bench.context, options());
    expect(await fingerprint(vit)).toBe(await fingerprint(bench.vit));
    expect(report.apart).toBeUndefined();
    expect(report.after).toEqual(report.before);
  });

  it('refuses a model that merges tokens', async () => {
    const merged = withMerges(bench.vit, [2, 2, 2, 0]);
    const refused = await refusalOf(() => resizePatches(merged, bench.context, options(0.25)));
    expect(refused).toMatchObject({ source: 'recipe', place: 'resize-patches' });
  });
});
