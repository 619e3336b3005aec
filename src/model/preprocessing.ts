import { InputError } from '../base/errors.js';
import { sameSize, sizeText, type Size } from '../base/size.js';
import { IMAGE_CHANNELS } from '../data/dataset.js';
import {
  defaultPreprocessing,
  timmPreprocessing,
  torchvisionPreprocessing,
  type Preprocessing,
} from '../data/preprocess.js';
import type { Checkpoint } from '../vit/checkpoints/load.js';
import { readPreprocessing } from './image-processor.js';

/** How images are prepared for a model, and what was assumed of it because nothing says it. */
export interface KnownPreprocessing {
  readonly preprocessing: Preprocessing;
  /** In sentences. */
  readonly notes: readonly string[];
}

/** The images that a model takes. */
export interface ModelInput {
  /** The file of the model, for messages. */
  readonly source: string;
  readonly size: Size;
  /** Three, one of grey, or as many as the images of the data set have. */
  readonly channels: number;
}

/**
 * How images are prepared for a model: as its `preprocessor_config.json` says, else as timm's configuration does, else as the library
 * that the model is from does where nothing is said.
 *
 * @param file - the `preprocessor_config.json`; undefined where there is none
 * @param input - the images that the model takes
 * @param from - whose names the checkpoint has, and what timm's configuration says of the images; undefined for an ONNX file
 * @throws InputError when the file is malformed, or for images of another size or of other channels
 */
export async function preprocessingOf(
  file: string | undefined,
  input: ModelInput,
  from: Pick<Checkpoint, 'scheme' | 'images'> | undefined,
): Promise<KnownPreprocessing> {
  if (file !== undefined) return { preprocessing: await preprocessingFor(file, input), notes: [] };
  const { source, size, channels } = input;
  if (from?.images)
    return {
      preprocessing: forChannels(source, timmPreprocessing(from.images, size), channels),
      notes: [],
    };
  const usual =
    from?.scheme === 'timm'
      ? timmPreprocessing({}, size)
      : from?.scheme === 'torchvision'
        ? torchvisionPreprocessing(size)
        : defaultPreprocessing(size);
  const preprocessing = forChannels(source, usual, channels);
  return { preprocessing, notes: [assumption(preprocessing, from?.scheme)] };
}

function assumption(
  { size, resizedTo = size, interpolation }: Preprocessing,
  scheme: string | undefined,
): string {
  const filter = interpolation === 'cubic' ? 'bicubic' : 'bilinear';
  if (scheme === 'timm' || scheme === 'torchvision')
    return (
      `Images are preprocessed with the defaults of ${scheme} (resized to ${sizeText(resizedTo)}, ${filter}, ImageNet's ` +
      'mean and deviation): no file next to the weights specifies the preprocessing.'
    );
  return (
    `Images are resized to ${sizeText(size)} (${filter}) and scaled to −1 … 1, as Transformers does for a ViT where nothing else is ` +
    'said: no preprocessor_config.json beside the weights says how.'
  );
}

async function preprocessingFor(path: string, { size, channels }: ModelInput): Promise<Preprocessing> {
  const preprocessing = await readPreprocessing(path);
  if (!sameSize(preprocessing.size, size))
    throw new InputError({
      source: path,
      place: 'size',
      found: sizeText(preprocessing.size),
      expected: `${sizeText(size)}, the image size of the model`,
    });
  return forChannels(path, preprocessing, channels);
}

/**
 * A preprocessing for a model that takes so many channels. What is said of three channels alike holds for any number.
 *
 * @throws InputError when means and deviations are those of another number of channels
 */
function forChannels(source: string, preprocessing: Preprocessing, channels: number): Preprocessing {
  const own = (place: string, values: readonly number[]): readonly number[] => {
    if (values.length === channels) return values;
    const [first] = values;
    if (first !== undefined && values.length === IMAGE_CHANNELS && values.every((value) => value === first))
      return new Array<number>(channels).fill(first);
    throw new InputError({
      source,
      place,
      found: `[${values.join(', ')}]`,
      expected: `${channels === 1 ? 'one number' : `${channels} numbers`}, since the model takes images of ${channels === 1 ? 'one channel' : `${channels} channels`}`,
      hint: 'Put a preprocessor_config.json with "image_mean" and "image_std" for its channels beside the weights.',
    });
  };
  const { mean, std } = preprocessing;
  return {
    ...{ ...preprocessing, mean: own('image_mean', mean), std: own('image_std', std) },
    ...(channels === 1 ? { grey: true } : channels !== IMAGE_CHANNELS && { channels }),
  };
}
