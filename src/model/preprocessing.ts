import { InputError } from '../base/errors.js';
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

/**
 * How images are prepared for a model: as its `preprocessor_config.json` says, else as timm's configuration does, else as the library
 * that the model is from does where nothing is said.
 *
 * @param file - the `preprocessor_config.json`; undefined where there is none
 * @param imageSize - side of the model's input
 * @param from - whose names the checkpoint has, and what timm's configuration says of the images; undefined for an ONNX file
 * @throws InputError when the file is malformed, or for images of another size
 */
export async function preprocessingOf(
  file: string | undefined,
  imageSize: number,
  from: Pick<Checkpoint, 'scheme' | 'images'> | undefined,
): Promise<KnownPreprocessing> {
  if (file !== undefined) return { preprocessing: await preprocessingFor(file, imageSize), notes: [] };
  if (from?.images) return { preprocessing: timmPreprocessing(from.images, imageSize), notes: [] };
  const preprocessing =
    from?.scheme === 'timm'
      ? timmPreprocessing({}, imageSize)
      : from?.scheme === 'torchvision'
        ? torchvisionPreprocessing(imageSize)
        : defaultPreprocessing(imageSize);
  return { preprocessing, notes: [assumption(preprocessing, from?.scheme)] };
}

function assumption(
  { size, resizedTo = size, interpolation }: Preprocessing,
  scheme: string | undefined,
): string {
  const filter = interpolation === 'cubic' ? 'bicubic' : 'bilinear';
  if (scheme === 'timm' || scheme === 'torchvision')
    return (
      `Images are prepared as ${scheme} does where nothing else is said (resized to ${resizedTo}, ${filter}, ImageNet's mean ` +
      'and deviation): no file beside the weights says how.'
    );
  return (
    `Images are resized to ${size} (${filter}) and scaled to −1 … 1, as Transformers does for a ViT where nothing else is said: no ` +
    'preprocessor_config.json beside the weights says how.'
  );
}

async function preprocessingFor(path: string, imageSize: number): Promise<Preprocessing> {
  const preprocessing = await readPreprocessing(path);
  if (preprocessing.size !== imageSize)
    throw new InputError({
      source: path,
      place: 'size',
      found: String(preprocessing.size),
      expected: `${imageSize}, the model's image size`,
    });
  return preprocessing;
}
