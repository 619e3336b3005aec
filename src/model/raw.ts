import { basename } from 'node:path';
import { InputError } from '../base/errors.js';
import { sameSize, sizeText, square, type Size } from '../base/size.js';
import { IMAGE_CHANNELS } from '../data/dataset.js';
import { channelsOf, type Preprocessing } from '../data/preprocess.js';
import { fixedSize } from '../onnx/dims.js';
import { readModel } from '../onnx/file.js';
import { UNNAMED_DIM, type OnnxSurface, type SurfaceValue } from '../onnx/surface.js';
import { foreignGraph } from '../vit/onnx/graph.js';
import { imageInput } from '../vit/onnx/image-input.js';
import { isQuantised } from '../vit/onnx/number-formats.js';
import type { Unrecognised } from '../vit/onnx/unrecognised.js';
import { readCard, type ModelCard } from './card.js';
import { fileOf, type OnnxFiles } from './files.js';
import { digestsOf, identityOf, type SourceDigest } from './identity.js';
import { readPreprocessing } from './image-processor.js';
import { notesOnChannels, notesOnChoice } from './load.js';
import { preprocessingOf } from './preprocessing.js';
import type { ModelRecord } from './record.js';
import type { RawSettings } from './source.js';

/** An ONNX file that is run as it is: it can be timed, scored and compared, and not compressed. */
export interface RawModel {
  readonly name: string;
  readonly files: OnnxFiles;
  readonly input: RawInput;
  /** Name of the output that gives the logits. */
  readonly output: string;
  /** In what numbers it computes. */
  readonly numbers: RawNumbers;
  readonly preprocessing: Preprocessing;
  /** Hash of everything that it is read from. */
  readonly identity: string;
  readonly digests: readonly SourceDigest[];
  readonly card: ModelCard | undefined;
  /** Why it is not compressed. */
  readonly reason: Unrecognised;
  /** Where it comes from, as far as that can be said before it has run. */
  readonly record: Omit<ModelRecord, 'raw'>;
}

/** The images that a file takes. */
export interface RawInput {
  readonly name: string;
  readonly dtype: 'float32' | 'float16';
  /** Images that it takes at once; undefined where any number goes. */
  readonly batch: number | undefined;
  readonly size: Size;
  /** Three, one of grey, or as many as the images of the data set have. */
  readonly channels: number;
  /** What its four axes are called where it leaves them open; null where it says a number, or gives no name. */
  readonly freeAxes: readonly (string | null)[];
}

/** In what numbers a file computes, which says how far logits of two passes or devices may lie apart. */
export interface RawNumbers {
  /** Whether all of it is float32. */
  readonly exact: boolean;
  /** Whether inputs are quantised by the range of the whole batch, so that an image's logits depend on which others are in it. */
  readonly rangeOfBatch: boolean;
  /** Whether it quantises what it multiplies, so that products of integers must run. */
  readonly integer: boolean;
}

/** What is to be known of a file besides itself. */
export interface RawRequest extends RawSettings {
  readonly name: string;
  readonly reason: Unrecognised;
  /** Where on the Hub it is from. */
  readonly hub?: ModelRecord['hub'];
  /** Channels of the images; left out, three. */
  readonly channels?: number;
  /** How images are prepared for the model that it stands beside, which holds where nothing else says how. */
  readonly beside?: Preprocessing | undefined;
}

/** Operators that quantise what they are given by its range, all images of a batch together (ONNX, and ONNX Runtime's own). */
const RANGE_OF_BATCH = /^(DynamicQuantizeLinear|DynamicQuantizeMatMul|DynamicQuantizeLSTM)$/;

/** Operators that turn floats into integers, or take integers: behind them are products of integers. Weights alone need none. */
const INTEGER =
  /^(QuantizeLinear|DynamicQuantize.+|MatMulInteger.*|ConvInteger.*|QLinear.+|QGemm|QAttention)$/;

/**
 * Takes an ONNX file as it is: which of its values are the images and the logits, how images are prepared for it, and what it is kept
 * under.
 *
 * @param files - of the model
 * @param request - what else is known
 * @throws InputError when it takes no images of as many channels as there are, or of one where there are three, when it is not clear which output gives the logits, or when
 *   nothing says how large the images are
 */
export async function rawModel(files: OnnxFiles, request: RawRequest): Promise<RawModel> {
  const { weights, surface } = files;
  const { name, reason, hub, beside, channels = IMAGE_CHANNELS } = request;
  const given = imagesOf(weights, surface, channels);
  const output = logitsOf(weights, surface, request.output);
  const preprocessor = request.preprocessor ?? fileOf(files, 'preprocessor');
  const { sides, ...images } = given;
  const { height, width } = sides;
  const size =
    (height !== undefined && width !== undefined ? { height, width } : undefined) ??
    (preprocessor === undefined ? undefined : (await readPreprocessing(preprocessor)).size) ??
    beside?.size ??
    squareOf(height ?? width) ??
    (await sizeInGraph(weights));
  if ((height ?? size.height) !== size.height || (width ?? size.width) !== size.width)
    throw new InputError({
      ...{ source: weights, place: 'inputs', found: surface.inputs.map(valueText).join('; ') },
      expected: `images of ${sizeText(size)}, for which they are prepared`,
    });
  const alike = beside !== undefined && sameSize(beside.size, size) && channelsOf(beside) === images.channels;
  const known =
    preprocessor === undefined && alike
      ? { preprocessing: beside, notes: ['Images are preprocessed as for the model it is listed with.'] }
      : await preprocessingOf(preprocessor, { source: weights, size, channels: images.channels }, undefined);
  const digests = await digestsOf(files);
  const several = surface.outputs.length > 1 && request.output === undefined;
  return {
    ...{ name, files, reason, digests, output: output.name, identity: identityOf(digests) },
    input: { ...images, size },
    numbers: numbersOf(surface, images.dtype),
    preprocessing: known.preprocessing,
    card: await readCard(fileOf(files, 'card')),
    record: {
      source: hub ? 'hub' : 'onnx',
      ...(hub && { hub }),
      notes: [
        ...notesOnChoice(files),
        ...notesOnChannels(known.preprocessing),
        ...(several
          ? [`Of its ${surface.outputs.length} outputs, "${output.name}" is assumed to be the logits.`]
          : []),
        ...known.notes,
      ],
    },
  };
}

function squareOf(side: number | undefined): Size | undefined {
  return side === undefined ? undefined : square(side);
}

/** The input that takes images, and which of their sides it says. */
function imagesOf(
  path: string,
  { inputs }: OnnxSurface,
  ofImages: number,
): Omit<RawInput, 'size'> & { readonly sides: Partial<Size> } {
  const refuse = (found: string): InputError =>
    new InputError({
      ...{ source: path, place: 'inputs', found },
      expected: `one input of images, float32 or float16 [images, ${ofImages === IMAGE_CHANNELS ? `${IMAGE_CHANNELS} or 1` : ofImages}, height, width], the sides at least 1`,
      hint: 'Other inputs are not supported: EdgeFlex feeds a model images only.',
    });
  const [input, another] = inputs;
  if (input === undefined || another !== undefined) throw refuse(inputs.map(valueText).join('; ') || 'none');
  const { name, dtype, dims } = input;
  const [batch, channels, height, width] = dims ?? [];
  if ((dtype !== 'float32' && dtype !== 'float16') || dims?.length !== 4) throw refuse(valueText(input));
  const isOne = (dim: unknown): boolean => typeof dim !== 'number' || dim >= 1;
  const fits = channels === ofImages || (channels === 1 && ofImages === IMAGE_CHANNELS);
  if (typeof channels === 'number' && !fits) throw refuse(valueText(input));
  if (!dims.every(isOne)) throw refuse(valueText(input));
  return {
    ...{ name, dtype, batch: fixedSize(batch), channels: fixedSize(channels) ?? ofImages },
    freeAxes: dims.map((dim) => (typeof dim === 'string' && dim !== UNNAMED_DIM ? dim : null)),
    sides: {
      ...(typeof height === 'number' && { height }),
      ...(typeof width === 'number' && { width }),
    },
  };
}

/** The output that gives the logits: the one that was named, the only one, or the one that is called so. */
function logitsOf(path: string, { outputs }: OnnxSurface, named: string | undefined): SurfaceValue {
  const [only, another] = outputs;
  const output =
    named === undefined
      ? another === undefined
        ? only
        : outputs.find(({ name }) => name === 'logits')
      : outputs.find(({ name }) => name === named);
  if (output === undefined)
    throw new InputError({
      ...{ source: path, place: 'outputs', found: outputs.map(valueText).join('; ') || 'none' },
      expected:
        named === undefined ? 'one output, or one that is called logits' : `one that is called ${named}`,
      hint: 'Name the one with the logits in the suite: { raw: model.onnx, output: name }.',
    });
  const { dtype, dims } = output;
  if ((dtype !== 'float32' && dtype !== 'float16') || (dims !== undefined && dims.length !== 2))
    throw new InputError({
      ...{ source: path, place: `output ${output.name}`, found: valueText(output) },
      expected: 'logits, float32 or float16 [images, classes]',
      hint:
        outputs.length > 1
          ? 'A suite can name another output: { raw: model.onnx, output: name }.'
          : 'The model needs a head that gives a logit for each class.',
    });
  return output;
}

/** The sides of the images where no file says them: what the graph itself is for. */
async function sizeInGraph(path: string): Promise<Size> {
  try {
    const { dims } = imageInput(foreignGraph(path, await readModel(path)));
    const [, , height, width] = dims;
    if (height !== undefined && width !== undefined) return { height, width };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
  }
  throw new InputError({
    source: path,
    place: 'inputs',
    found: 'images of any size',
    expected: 'a size that the input, a preprocessor_config.json beside the file, or the positions tell',
  });
}

function numbersOf({ nodes, inputs, outputs }: OnnxSurface, dtype: string): RawNumbers {
  const half = [...inputs, ...outputs].some((value) => value.dtype === 'float16') || dtype === 'float16';
  // A file of float16 within has casts at its ends.
  const casts = nodes.some(({ opType }) => opType === 'Cast');
  return {
    exact: !half && !casts && !nodes.some(isQuantised),
    rangeOfBatch: nodes.some(({ opType }) => RANGE_OF_BATCH.test(opType)),
    integer: nodes.some(({ opType }) => INTEGER.test(opType)),
  };
}

function valueText({ name, dtype, dims }: SurfaceValue): string {
  return `${name}: ${dtype}${dims === undefined ? ' of any shape' : ` [${dims.join(', ')}]`}`;
}

/**
 * Why a file that is to be run as it is could not be compressed either, as far as that can be seen without recognising a model in it.
 *
 * @param surface - of the file
 */
export function asked({ nodes }: OnnxSurface): Unrecognised {
  const quantised = nodes.find(isQuantised);
  if (quantised === undefined) return { kind: 'asked' };
  return { kind: 'quantised', node: quantised.name, operator: quantised.opType };
}

/** What a raw file is called where nobody names it: as the file, of the characters that names may have. */
export function rawName(path: string): string {
  const plain = basename(path)
    .replace(/\.onnx$/, '')
    .replace(/[^a-z0-9.+-]+/gi, '-')
    .replace(/^[^a-z0-9]+/i, '');
  return plain.slice(0, 100) || 'raw';
}
