import { seededRandom } from '../../base/random.js';
import { GraphBuilder } from '../../onnx/builder.js';
import { dtypeCode } from '../../onnx/dtype.js';
import { cast } from '../../onnx/ops.js';
import { float32, tensorOf } from '../../onnx/tensor.js';
import type { Tensor } from '../../runtime/engine.js';
import { patchCount } from '../../vit/config.js';
import { perPatchValue } from '../../vit/byte-patches.js';
import { emitBytes, emitPixels, emitRows, INPUT } from '../../vit/graph/embedding.js';
import { PATCH } from '../../vit/linears.js';
import { withWeights, type ViT } from '../../vit/vit.js';
import type { Calibration, StageContext } from '../context.js';
import { sqnr, type Evaluator } from '../evaluate.js';
import type { Blas } from '../linalg/blas.js';
import { momentsTap } from '../observe/moments.js';
import { sampleTap } from '../observe/sample.js';
import { openedEachTime } from '../observe/sessions.js';
import type { Tap } from '../observe/taps.js';
import { floatsOf } from '../weights.js';
import type { QuantizedLinear } from './block.js';
import { withFeedback } from './feedback.js';
import type { QuantizeOptions } from './options.js';
import { dequantizeInt8, int8Grid, type InputRange } from './rounding.js';
import { readingTransformed, searchWeightClip } from './search.js';

/** Bytes are quantised already. */
const BYTES: InputRange = { scale: 1, zeroPoint: 0 };

/**
 * Quantises the embedding of the patches: its input is exact, since the pixels are turned back into the bytes that they were made of, and
 * what normalised them becomes a part of the weight, which is int8 with a scale for each output. It is always rounded with feedback: pixels that
 * lie side by side vary together, so that an error of one weight can be made up for by the next, and moments of pixels are cheap.
 *
 * @param context - runtime and the images' bytes
 * @param images - to calibrate on
 * @param vit - a model whose embedding is float
 * @param evaluator - compares candidates on sampled patches
 * @param blas - float64 products
 * @param options - of the stage
 */
export async function quantizePatches(
  context: StageContext,
  images: Calibration<'calibration'>,
  vit: ViT,
  evaluator: Evaluator,
  blas: Blas,
  options: QuantizeOptions,
): Promise<{ readonly vit: ViT; readonly linear: QuantizedLinear }> {
  const { bytes } = context.calibration;
  const rowsPerBatch = images.batchSize * patchCount(vit.config);
  const batches = images.count / images.batchSize;
  const random = seededRandom(context.seed);
  const samples = sampleTap(context.engine, [PATCH], options.rows, batches, () => rowsPerBatch, random);
  const moments = momentsTap(PATCH, rowsPerBatch);
  await observe(context, images, vit, [samples, moments]);
  const sample = samples.result()[PATCH];

  const steps = perPatchValue(vit.config, bytes.steps);
  const zeros = perPatchValue(vit.config, bytes.zeros);
  const float = { weight: await floatsOf(vit, 'patch.weight'), bias: await floatsOf(vit, 'patch.bias') };
  const { weight, bias } = readingTransformed(float, {
    scale: steps,
    shift: zeros.map((zero, value) => -zero * steps[value]!),
  });
  const linear = { weight, bias, output: await evaluator.output(sample, { weight, bias }) };
  const clip = await searchWeightClip(evaluator, { sample }, linear, BYTES, options);
  const rounding = await withFeedback(moments.result(), blas);
  const grid = int8Grid(weight, steps.length, options.perChannel, clip, options.boundPairs);
  const int8 = { values: await rounding(weight, steps.length, grid), scales: grid.scales };
  const rounded = { weight: dequantizeInt8(int8), bias, input: BYTES };
  const error = await evaluator.error(linear.output, sample, rounded);
  const corrected = options.biasCorrection ? bias.map((b, o) => b + error.mean[o]!) : bias;
  const changed = withWeights(vit, [
    ['patch.weight', tensorOf('int8', [bias.length, steps.length], int8.values)],
    // In steps of bytes it is too large to be stored as float16.
    ['patch.bias', float32([bias.length], corrected)],
  ]);
  return {
    vit: { ...changed, bytePatches: { ...bytes, weightScales: int8.scales } },
    linear: { linear: PATCH, sqnr: sqnr(error), alpha: undefined },
  };
}

/** Runs the images up to the product of the embedding, over rows of bytes. */
async function observe(
  context: StageContext,
  images: Calibration<'calibration'>,
  vit: ViT,
  taps: readonly Tap<unknown, typeof PATCH>[],
): Promise<void> {
  const { channels, imageSize } = vit.config;
  const g = new GraphBuilder('patches');
  const bytes = emitRows(g, vit, emitBytes(g, emitPixels(g, vit), context.calibration.bytes));
  const rows = cast(g, 'patches:float', bytes, 'float32', dtypeCode('float32'));
  for (const tap of taps) for (const value of tap.emit(g, { [PATCH]: rows })) g.output(value);
  const dims = [images.batchSize, channels, imageSize.height, imageSize.width];
  await openedEachTime(context).within('patches', g.finish(), async (session) => {
    for await (const pixels of images.batches()) {
      context.throwIfStopped();
      const feeds = Object.assign({}, ...taps.map((tap) => tap.feeds?.() ?? {})) as Record<string, Tensor>;
      feeds[INPUT] = context.engine.tensor('float32', pixels, dims);
      const outputs = await session.run(feeds);
      for (const tap of taps) tap.add(outputs);
    }
  });
}
