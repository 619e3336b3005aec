import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { describeFault } from '../base/schema.js';
import { IMAGE_CHANNELS, IMAGE_SIDE } from '../data/dataset.js';
import type { Preprocessing } from '../data/preprocess.js';
import type { Interpolation } from '../data/resample.js';
import { readJson } from '../vit/checkpoints/json.js';

/** Sides beyond this are no input of a ViT, and would take gigabytes. */
const MAX_SIDE = 4096;

/** The filters by the number that Pillow gives them, which is what `resample` says. */
const interpolations: Record<number, Interpolation> = {
  0: 'nearest',
  2: 'linear',
  3: 'cubic',
};

const HALF = [0.5, 0.5, 0.5];
const OPENAI = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
const IMAGENET = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };

const plain = {
  ...{
    do_resize: true,
    size: 224,
    resample: 2,
    do_center_crop: false,
    crop_size: undefined as number | undefined,
  },
  ...{ do_rescale: true, rescale_factor: 1 / 255, do_normalize: true, image_mean: HALF, image_std: HALF },
};

/** What classes of Transformers' image processors do where their file says nothing, by the class without its endings. */
const classes: Readonly<Record<string, typeof plain>> = {
  ViT: plain,
  DeiT: { ...plain, size: 256, resample: 3, do_center_crop: true, crop_size: 224 },
  Beit: { ...plain, size: 224, resample: 3 },
  Siglip: { ...plain, resample: 3 },
  CLIP: { ...plain, resample: 3, do_center_crop: true, crop_size: 224, ...OPENAI },
  Bit: { ...plain, resample: 3, do_center_crop: true, crop_size: 224, ...OPENAI },
  DINOv3ViT: { ...plain, ...IMAGENET },
};

/** A value that a file may leave out or have as null, both of which mean the class's own. */
const open = <Schema extends z.ZodType>(schema: Schema): z.ZodOptional<z.ZodNullable<Schema>> =>
  schema.nullable().optional();
const perChannel = (schema: z.ZodNumber): z.ZodArray<z.ZodNumber> => z.array(schema).length(IMAGE_CHANNELS);
const pixels = z.number().int().positive().max(MAX_SIDE);
const side = z.union([
  pixels,
  z.object({ height: pixels, width: pixels }),
  z.object({ shortest_edge: pixels, longest_edge: z.null().optional() }),
]);
const configSchema = z.looseObject({
  image_processor_type: open(z.string()),
  feature_extractor_type: open(z.string()),
  do_resize: open(z.boolean()),
  size: open(side),
  resample: open(z.number().int()),
  do_center_crop: open(z.boolean()),
  crop_size: open(side),
  do_rescale: open(z.boolean()),
  rescale_factor: open(z.number().min(1e-6).max(1e3)),
  do_normalize: open(z.boolean()),
  image_mean: open(perChannel(z.number().min(-1e4).max(1e4))),
  image_std: open(perChannel(z.number().min(1e-4).max(1e4))),
});

/** Switches that are read, or that leave square images of three channels as they are. */
const SWITCHES = new Set([
  ...['do_resize', 'do_center_crop', 'do_rescale', 'do_normalize', 'do_convert_rgb', 'do_reduce_labels'],
]);

/**
 * Reads a `preprocessor_config.json` as Transformers does: what is left out or null is as the image processor's class has it.
 *
 * @param path - the file
 * @throws InputError when it is malformed or asks for something that is not supported (another filter, padding)
 */
export async function readPreprocessing(path: string): Promise<Preprocessing> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const raw = await readJson(path, 'a preprocessor_config.json');
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw refuse(keys.map(String).join('.') || 'the whole file', found, expected);
  }
  const strange = Object.entries(parsed.data).find(
    ([key, value]) => key.startsWith('do_') && !SWITCHES.has(key) && value === true,
  );
  if (strange !== undefined)
    throw refuse(strange[0], 'true', 'false: only resizing, cutting, scaling and normalising are done');
  const { image_processor_type, feature_extractor_type } = parsed.data;
  const type = image_processor_type ?? feature_extractor_type ?? 'ViTImageProcessor';
  const family = type.replace(/(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/, '');
  const defaults = Object.hasOwn(classes, family) ? classes[family] : undefined;
  if (defaults === undefined)
    throw refuse(
      'image_processor_type',
      type,
      `one of ${Object.keys(classes)
        .map((name) => `${name}ImageProcessor`)
        .join(', ')}`,
    );
  const config = { ...defaults, ...withoutNulls(parsed.data) };
  const sideOf = (place: string, size: z.infer<typeof side>): number => {
    if (typeof size === 'number') return size;
    if ('shortest_edge' in size) return size.shortest_edge;
    if (size.width !== size.height) throw refuse(place, JSON.stringify(size), 'a square');
    return size.height;
  };
  const resized = config.do_resize ? sideOf('size', config.size) : IMAGE_SIDE;
  const size = config.do_center_crop ? sideOf('crop_size', config.crop_size ?? config.size) : resized;
  if (size > resized)
    throw refuse('crop_size', String(size), `at most the ${resized} that images are resized to`);
  const interpolation = interpolations[config.resample];
  if (interpolation === undefined)
    throw refuse('resample', String(config.resample), '0 (nearest), 2 (bilinear) or 3 (bicubic)');
  return {
    size,
    ...(resized > size && { resizedTo: resized }),
    interpolation,
    rescale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? config.image_mean : [0, 0, 0],
    std: config.do_normalize ? config.image_std : [1, 1, 1],
  };
}

type Present<Config> = { [Key in keyof Config]?: NonNullable<Config[Key]> };

function withoutNulls<Config extends object>(config: Config): Present<Config> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value != null)) as Present<Config>;
}
