import type { Substitution } from '../base/substitution.js';
import { jsonNumber, type RootFailure } from '../protocol/failure.js';
import type { KernelTime } from '../protocol/kernels.js';
import type { LogitsRecord } from '../protocol/measurement.js';
import type { Artifact } from './artifacts/artifact.js';

/**
 * How far logits of the same image may lie apart between two passes, as a share of the largest: float sums of different
 * batch sizes differ in their last bits, and a bit can tip an int8 rounding.
 */
const LOGIT_TOLERANCE = 0.02;

/** The same between two devices: of a model whose arithmetic is float32 everywhere, */
const FLOAT_TOLERANCE = 0.005;

/** and of one whose kernels quantise activations, each in its own way, or compute in float16. */
const QUANTIZED_TOLERANCE = 0.1;

/** Quantises its input by the range of all of it, so that an image's logits depend on which others are in its batch. */
const RANGE_OF_THE_BATCH = 'DynamicQuantizeMatMul';

/**
 * How far such logits may lie apart between two batches: up to 0.19 was seen on 2,048 images of CIFAR-10; most of those of
 * another image lie further.
 */
const BATCH_TOLERANCE = 0.5;

/** Kernels that multiply integers. */
const INTEGER_PRODUCT =
  /^(MatMulInteger.*|DynamicQuantizeMatMul|ConvInteger|QLinear(MatMul|Conv|GlobalAveragePool)|QGemm|QAttention|QOrdered.+)$/;

/**
 * Checks that the kernels which a variant stands for are the ones that ran, and where they should.
 *
 * @param artifact - says how many quantised linears the model has, or whether a file that is run as it is has any
 * @param kernels - what the profiler saw, for one query
 * @param parts - runs of the model in a query
 * @param provider - the execution provider that was asked for
 * @returns what is wrong; undefined when nothing is
 */
export function kernelFailure(
  artifact: Pick<Artifact, 'kernels' | 'raw'>,
  kernels: readonly KernelTime[],
  parts: number,
  provider: string,
): RootFailure | undefined {
  const elsewhere = kernels.find((kernel) => kernel.provider !== provider);
  if (elsewhere)
    return { kind: 'other-provider', opType: elsewhere.opType, ran: elsewhere.provider, asked: provider };
  if (artifact.raw?.integer === true && !kernels.some(({ opType }) => INTEGER_PRODUCT.test(opType)))
    return { kind: 'no-integer-kernels' };
  for (const [opType, perPart] of Object.entries(artifact.kernels)) {
    const ran = kernels.reduce((sum, kernel) => sum + (kernel.opType === opType ? kernel.calls : 0), 0);
    const expected = perPart * parts;
    if (ran !== expected) return { kind: 'kernels-missing', opType, ran, expected };
  }
  return undefined;
}

/**
 * Looks for logits that are no numbers: what is not finite has no largest one, and would count as some class.
 *
 * @param logits - of a pass
 * @param imageOf - the test image, by the index of the image in the pass
 * @returns the first that is not finite; undefined when all are
 */
export function finiteFailure(
  logits: readonly LogitsRecord[],
  imageOf: (index: number) => number,
): RootFailure | undefined {
  for (const { first, classes, values } of logits) {
    const at = values.findIndex((value) => !Number.isFinite(value));
    if (at < 0) continue;
    const found = jsonNumber(values[at] ?? NaN);
    if (typeof found === 'number') continue;
    return {
      kind: 'logits-not-finite',
      image: imageOf(first + Math.floor(at / classes)),
      logit: at % classes,
      found,
    };
  }
  return undefined;
}

/** An image whose logits lie further from what is expected than they may. */
export interface ApartImage extends Pick<
  Extract<RootFailure, { kind: 'logits-differ' }>,
  'image' | 'logit' | 'here' | 'there'
> {
  /** All of its logits, as they came. */
  readonly logits: Float32Array;
}

/** Images whose logits are others than expected. */
export interface Difference {
  readonly from: Extract<RootFailure, { kind: 'logits-differ' }>['from'];
  /** How many images were compared. */
  readonly images: number;
  /** Those that lie apart, the first one first. */
  readonly apart: readonly [ApartImage, ...ApartImage[]];
}

/**
 * Compares the outputs of a timed pass with those of the accuracy pass on the same images.
 *
 * @param artifact - what ran
 * @param timed - logits of some images, as the timed pass left them
 * @param imageOf - which test image one is, by its index in the batch
 * @param accuracy - logits of test images 0, 1, 2 …, `[images, classes]`
 * @returns the images that lie further apart than they may; undefined when none does
 */
export function outputDifference(
  { kernels, raw }: Pick<Artifact, 'kernels' | 'raw'>,
  timed: readonly LogitsRecord[],
  imageOf: (index: number) => number,
  accuracy: Float32Array,
): Difference | undefined {
  const byBatch = raw?.rangeOfBatch ?? (kernels[RANGE_OF_THE_BATCH] ?? 0) > 0;
  const tolerance = byBatch ? BATCH_TOLERANCE : LOGIT_TOLERANCE;
  return difference('accuracy-pass', timed, imageOf, accuracy, tolerance);
}

/**
 * Compares the logits of a device with those of this machine's CPU, of the same form and the same images.
 *
 * @param artifact - what the device ran
 * @param logits - of test images 0, 1, 2 …, as the device gave them
 * @param reference - the CPU's, `[images, classes]`
 * @returns the images that lie further apart than they may; undefined when none does
 */
export function agreementDifference(
  artifact: Pick<Artifact, 'kernels' | 'substitutions' | 'raw'>,
  logits: readonly LogitsRecord[],
  reference: Float32Array,
): Difference | undefined {
  return difference('local-cpu', logits, (image) => image, reference, agreementTolerance(artifact));
}

/** How far logits of two devices may lie apart, as a share of the image's largest. */
export function agreementTolerance(artifact: Pick<Artifact, 'kernels' | 'substitutions' | 'raw'>): number {
  return isExact(artifact) ? FLOAT_TOLERANCE : QUANTIZED_TOLERANCE;
}

/** Whether an artifact computes in float32 everywhere. */
export function isExact({
  kernels,
  substitutions,
  raw,
}: Pick<Artifact, 'kernels' | 'substitutions' | 'raw'>): boolean {
  return (
    raw?.exact ?? (substitutions.every(staysFloat32) && Object.values(kernels).every((count) => count === 0))
  );
}

/** Whether nothing but float32 is computed with in place of what the recipe asks for. */
function staysFloat32(substitution: Substitution): boolean {
  return substitution.kind === 'float16-linears' && substitution.computedIn === 'float32';
}

/** What an image that lies apart makes of a measurement. */
export function differenceFailure(
  { from }: Difference,
  { image, logit, here, there }: ApartImage,
): RootFailure {
  return { kind: 'logits-differ', from, image, logit, here, there };
}

function difference(
  from: Difference['from'],
  records: readonly LogitsRecord[],
  imageOf: (index: number) => number,
  reference: Float32Array,
  tolerance: number,
): Difference | undefined {
  const [first, ...others] = records.flatMap((record) => apartIn(record, imageOf, reference, tolerance));
  const images = records.reduce((sum, { classes, values }) => sum + Math.ceil(values.length / classes), 0);
  return first && { from, images, apart: [first, ...others] };
}

/** The images of a record that lie apart, each with the first logit that does. */
function apartIn(
  { first, classes, values }: LogitsRecord,
  imageOf: (index: number) => number,
  reference: Float32Array,
  tolerance: number,
): ApartImage[] {
  return Array.from({ length: Math.ceil(values.length / classes) }, (_, i): ApartImage | undefined => {
    const image = imageOf(first + i);
    const row = reference.subarray(image * classes, (image + 1) * classes);
    const logits = values.subarray(i * classes, (i + 1) * classes);
    const logit = firstApart(logits, row, tolerance);
    return logit < 0
      ? undefined
      : { image, logit, here: jsonNumber(logits[logit] ?? NaN), there: row[logit] ?? null, logits };
  }).filter((apart) => apart !== undefined);
}

/**
 * The first logit that lies further from what is expected than a share of the largest expected one.
 *
 * @param logits - of an image
 * @param expected - of the same image; what is missing there or no number has nothing near it
 * @param tolerance - the share
 * @returns its index; −1 where there is none
 */
export function firstApart(logits: Float32Array, expected: Float32Array, tolerance: number): number {
  const most = tolerance * expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  return logits.findIndex((value, k) => !(Math.abs(value - (expected[k] ?? NaN)) <= most));
}
