import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { sizeText, square, within, type Size } from '../base/size.js';
import { describeFault } from '../base/schema.js';
import { IMAGE_CHANNELS, IMAGE_SIDE } from '../data/dataset.js';
import type { Preprocessing } from '../data/preprocess.js';
import type { Interpolation } from '../data/resample.js';
import { readJson } from '../vit/checkpoints/json.js';

/** Sides beyond this are no input of a ViT, and would take gigabytes. */
const MAX_SIDE = 4096;

/** More channels have no images. */
const MAX_CHANNELS = 512;

/** The filters by the number that Pillow gives them, which is what `resample` says. */
const interpolations: Record<number, Interpolation> = {
  0: 'nearest',
  1: 'lanczos',
  2: 'linear',
  3: 'cubic',
  4: 'box',
  5: 'hamming',
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
    // Whether a size without a name is both sides or the shorter one.
    square: true,
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
  CLIP: { ...plain, square: false, resample: 3, do_center_crop: true, crop_size: 224, ...OPENAI },
  Bit: { ...plain, square: false, resample: 3, do_center_crop: true, crop_size: 224, ...OPENAI },
  DINOv3ViT: { ...plain, ...IMAGENET },
};

/** A value that a file may leave out or have as null, both of which mean the class's own. */
const open = <Schema extends z.ZodType>(schema: Schema): z.ZodOptional<z.ZodNullable<Schema>> =>
  schema.nullable().optional();
/** A number for each channel, or one for all. */
const perChannel = (schema: z.ZodNumber): z.ZodType<number[]> =>
  z.union([
    z.array(schema).min(1).max(MAX_CHANNELS),
    schema.transform((value) => Array.from({ length: IMAGE_CHANNELS }, () => value)),
  ]);
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

/** Switches that are read, or that leave images as they are. */
const SWITCHES = new Set([
  ...['do_resize', 'do_center_crop', 'do_rescale', 'do_normalize', 'do_convert_rgb', 'do_reduce_labels'],
]);

/** A processor of images and texts, with that of the images in it. */
const processorSchema = z.object({ image_processor: z.record(z.string(), z.unknown()) });

/**
 * Whether the configuration of a processor says how images are prepared.
 *
 * @param raw - what a `processor_config.json` holds
 */
export function holdsImageProcessor(raw: unknown): boolean {
  return processorSchema.safeParse(raw).success;
}

/**
 * Reads a `preprocessor_config.json` as Transformers does: what is left out or null is as the image processor's class has it.
 *
 * @param path - the file, or a `processor_config.json` that has the same in it
 * @throws InputError when it is malformed or asks for something that is not supported (another filter, padding)
 */
export async function readPreprocessing(path: string): Promise<Preprocessing> {
  const whole = await readJson(path, 'a preprocessor_config.json');
  const inner = processorSchema.safeParse(whole).data?.image_processor;
  const raw = inner ?? whole;
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place: inner ? `image_processor.${place}` : place, found, expected });
  const parsed = configSchema.safeParse(raw);
  if (!parsed.success) {
    const { path: keys, found, expected } = describeFault(parsed.error, raw);
    throw refuse(keys.map(String).join('.') || 'the whole file', found, expected);
  }
  const strange = Object.entries(parsed.data).find(
    ([key, value]) => key.startsWith('do_') && !SWITCHES.has(key) && value === true,
  );
  if (strange !== undefined)
    throw refuse(strange[0], 'true', 'false: only resizing, cropping, scaling and normalising are supported');
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
  const { image_mean: means, image_std: deviations } = parsed.data;
  if (means && deviations && means.length !== deviations.length)
    throw refuse('image_std', counted(deviations), `${counted(means)}, as many as "image_mean" has`);
  const config = { ...defaults, ...withoutNulls(parsed.data) };
  // Images that are not resized are those of CIFAR-10, of that size.
  const resized = config.do_resize ? sidesOf(config.size) : square(IMAGE_SIDE);
  const size = config.do_center_crop ? sidesOf(config.crop_size ?? config.size) : resized;
  if (!within(size, resized))
    throw refuse('crop_size', sizeText(size), `at most the ${sizeText(resized)} that images are resized to`);
  const interpolation = interpolations[config.resample];
  if (interpolation === undefined)
    throw refuse(
      'resample',
      String(config.resample),
      '0 (nearest), 1 (Lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (Hamming)',
    );
  return {
    size,
    ...(!within(resized, size) && { resizedTo: resized }),
    ...fitOf(config),
    interpolation,
    rescale: config.do_rescale ? config.rescale_factor : 1,
    mean: config.do_normalize ? config.image_mean : [0, 0, 0],
    std: config.do_normalize ? config.image_std : [1, 1, 1],
  };
}

function counted(values: readonly number[]): string {
  return values.length === 1 ? 'one number' : `${values.length} numbers`;
}

/** Both sides, or those of a square whose side is the shorter one. */
function sidesOf(size: z.infer<typeof side>): Size {
  if (typeof size === 'number') return square(size);
  return 'shortest_edge' in size ? square(size.shortest_edge) : size;
}

/** What becomes of images of another proportion. */
function fitOf(config: {
  readonly do_resize: boolean;
  readonly do_center_crop: boolean;
  readonly square: boolean;
  readonly size: z.infer<typeof side>;
}): Pick<Preprocessing, 'fit'> {
  if (!config.do_resize) return { fit: 'none' };
  const square = typeof config.size === 'number' ? config.square : !('shortest_edge' in config.size);
  if (square) return {};
  return { fit: config.do_center_crop ? 'shortest' : 'uncut' };
}

type Present<Config> = { [Key in keyof Config]?: NonNullable<Config[Key]> };

function withoutNulls<Config extends object>(config: Config): Present<Config> {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value != null)) as Present<Config>;
}
