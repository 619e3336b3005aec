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

/**
 * A model that merges tokens chooses the most similar ones, and where two choices are nearly as good the last bits of a sum, or
 * one INT8 rounding, decide between them: the logits of that image jump. Of 6,000 images of CIFAR-10 that an INT8 model with half of its
 * tokens merged classified on a CPU and in WebAssembly, 7 lay further apart than `QUANTIZED_TOLERANCE`, at most by 0.21, and
 * every one of them had merged other tokens. So few images may lie as far apart as this; kernels that compute something else put most apart.
 */
const JUMP_TOLERANCE = 0.4;

/** The share of the images that may jump; one always may. */
const JUMPING_SHARE = 0.01;

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

/**
 * Checks the outputs of a timed pass against those of the accuracy pass on the same images.
 *
 * @param artifact - what ran
 * @param timed - logits of some images, as the timed pass left them
 * @param imageOf - which test image one is, by its index in the batch
 * @param accuracy - logits of test images 0, 1, 2 …, `[images, classes]`
 * @returns what is wrong; undefined when nothing is
 */
export function outputFailure(
  { kernels, merges, raw }: Pick<Artifact, 'kernels' | 'merges' | 'raw'>,
  timed: readonly LogitsRecord[],
  imageOf: (index: number) => number,
  accuracy: Float32Array,
): RootFailure | undefined {
  const byBatch = raw?.rangeOfBatch ?? (kernels[RANGE_OF_THE_BATCH] ?? 0) > 0;
  const tolerance = byBatch ? BATCH_TOLERANCE : LOGIT_TOLERANCE;
  const apart = farApart(timed, imageOf, accuracy, { tolerance, jumps: merges === true });
  return apart && { kind: 'logits-differ', from: 'accuracy-pass', ...apart };
}

/**
 * Checks the logits of a device against those of this machine's CPU, of the same form and the same images.
 *
 * @param artifact - what the device ran
 * @param logits - of test images 0, 1, 2 …, as the device gave them
 * @param reference - the CPU's, `[images, classes]`
 * @returns what is wrong; undefined when nothing is
 */
export function agreementFailure(
  { kernels, substitutions, merges, raw }: Pick<Artifact, 'kernels' | 'substitutions' | 'merges' | 'raw'>,
  logits: readonly LogitsRecord[],
  reference: Float32Array,
): RootFailure | undefined {
  const exact =
    raw?.exact ?? (substitutions.every(staysFloat32) && Object.values(kernels).every((count) => count === 0));
  const tolerance = exact ? FLOAT_TOLERANCE : QUANTIZED_TOLERANCE;
  const apart = farApart(logits, (image) => image, reference, { tolerance, jumps: merges === true });
  return apart && { kind: 'logits-differ', from: 'local-cpu', ...apart };
}

/** Whether nothing but float32 is computed with in place of what the recipe asks for. */
function staysFloat32(substitution: Substitution): boolean {
  return substitution.kind === 'float16-linears' && substitution.computedIn === 'float32';
}

type Apart = Pick<Extract<RootFailure, { kind: 'logits-differ' }>, 'image' | 'logit' | 'here' | 'there'>;

/** How far logits may lie from what is expected, as shares of the image's largest. */
interface Allowed {
  readonly tolerance: number;
  /** Whether `JUMPING_SHARE` of the images may lie apart by `JUMP_TOLERANCE`. */
  readonly jumps: boolean;
}

/** The first logit that lies further from what is expected than it may. */
function farApart(
  records: readonly LogitsRecord[],
  imageOf: (index: number) => number,
  reference: Float32Array,
  { tolerance, jumps }: Allowed,
): Apart | undefined {
  const beyond = (most: number): Apart[] =>
    records.flatMap((record) => apartIn(record, imageOf, reference, most));
  const apart = beyond(tolerance);
  if (!jumps) return apart[0];
  const images = records.reduce((sum, { classes, values }) => sum + Math.ceil(values.length / classes), 0);
  const mayJump = Math.max(1, Math.floor(JUMPING_SHARE * images));
  return apart.length > mayJump ? apart[0] : beyond(Math.max(tolerance, JUMP_TOLERANCE))[0];
}

/** Of each image of a record, in their order, the first logit that lies further from what is expected than a share of its largest. */
function apartIn(
  { first, classes, values }: LogitsRecord,
  imageOf: (index: number) => number,
  reference: Float32Array,
  tolerance: number,
): Apart[] {
  return Array.from({ length: Math.ceil(values.length / classes) }, (_, i): Apart | undefined => {
    const image = imageOf(first + i);
    const row = reference.subarray(image * classes, (image + 1) * classes);
    const most = tolerance * row.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
    const here = values.subarray(i * classes, (i + 1) * classes);
    // What is missing or no number lies within nothing.
    const logit = here.findIndex((value, k) => !(Math.abs(value - (row[k] ?? NaN)) <= most));
    return logit < 0
      ? undefined
      : { image, logit, here: jsonNumber(here[logit] ?? NaN), there: row[logit] ?? null };
  }).filter((apart) => apart !== undefined);
}
