import type { Metadata, SharpOptions } from 'sharp';
import { firstLine, InputError, messageOf } from '../../base/errors.js';
import { fromCmyk, fromColour, fromGrey, type Samples } from './convert.js';
import { ImageError } from './error.js';
import { formatOf, type ImageFormat } from './format.js';
import { damagedPngChunk, gifFrameIsWhole, pngColours, TIFF_TAGS, tiffTag } from './headers.js';
import type { Picture } from './picture.js';
import { decodePnm } from './pnm.js';
import { loadSharp, type OpenImage } from './sharp.js';

/** Pillow refuses images of more pixels as bombs of decompression: twice its `MAX_IMAGE_PIXELS`. */
const MAX_PIXELS = 2 * Math.floor(2 ** 30 / 4 / 3);

const WHOLE = 'a whole JPEG, PNG, WebP, TIFF, PGM or PPM';

/** How images are decoded apart from Pillow's own way. */
export interface DecodeOptions {
  /** Turn images as their EXIF says, which torchvision's loader does not; Pillow itself does so with each TIFF. */
  readonly exif: boolean;
}

/**
 * Decodes an image as Pillow's `Image.open(…).convert('RGB')` does: the first frame, no colour profile applied, not turned by EXIF (but
 * for TIFF); transparency is left away; of 16 bits of colour the upper eight are kept, of 16 bits of grey what is above 255 is white.
 *
 * @param bytes - the file
 * @param options - what is done otherwise
 * @throws ImageError for what is no image, is damaged or truncated, or of a kind that is not decoded alike; InputError when the
 *   library that decodes is not installed
 */
export async function decodeImage(bytes: Uint8Array, { exif }: DecodeOptions): Promise<Picture> {
  const format = formatOf(bytes);
  if (format === undefined) throw new ImageError(beginningOf(bytes), WHOLE);
  if (format === 'pnm') return decodePnm(bytes, MAX_PIXELS);
  if (format === 'bmp') throw new ImageError('a BMP', `${WHOLE}: convert it to PNG`);
  const open = await loadSharp();
  try {
    return await decoded(open, bytes, format, exif);
  } catch (error) {
    if (error instanceof ImageError || error instanceof InputError) throw error;
    throw new ImageError(faultIn(error), WHOLE);
  }
}

async function decoded(
  open: OpenImage,
  bytes: Uint8Array,
  format: ImageFormat,
  exif: boolean,
): Promise<Picture> {
  const options: SharpOptions = {
    failOn: 'truncated',
    limitInputPixels: MAX_PIXELS,
    ignoreIcc: true,
    sequentialRead: true,
  };
  refuseDamaged(format, bytes);
  const metadata = await open(bytes, options).metadata();
  refuseUnlike(format, bytes, metadata);
  const { space, depth } = metadata;
  const image = open(bytes, options);
  if (exif || format === 'tiff') image.autoOrient();
  const deep = depth === 'ushort';
  // The colour space of the pipeline is the image's, so that nothing is converted on the way.
  if (space === 'cmyk' || deep) image.pipelineColourspace(space).toColourspace(space);
  const { data, info } = await image
    .raw({ depth: deep ? 'ushort' : 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height, channels } = info;
  const samples: Samples = deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  if (space === 'cmyk') return { width, height, pixels: fromCmyk(samples) };
  return {
    width,
    height,
    pixels:
      channels <= 2
        ? fromGrey(samples, channels, format === 'png' && pngColours(bytes) === 0)
        : fromColour(samples, channels),
  };
}

/** What the library reads although it is damaged. */
function refuseDamaged(format: ImageFormat, bytes: Uint8Array): void {
  const chunk = format === 'png' ? damagedPngChunk(bytes) : undefined;
  if (chunk !== undefined) throw new ImageError(`a PNG whose part ${chunk} has another sum`, WHOLE);
}

/** Of a TIFF whose zeros are white, and of one in luma and two differences of colours. */
const [WHITE_IS_ZERO, YCBCR] = [0, 6];

/** Compression of a TIFF by JPEG, which itself says in which colours it is. */
const BY_JPEG = 7;

/** Kinds that Pillow makes other pixels of, or none. */
function refuseUnlike(
  format: ImageFormat,
  bytes: Uint8Array,
  { space, depth, hasAlpha, channels }: Metadata,
): void {
  const known = depth === 'uchar' || (depth === 'ushort' && (space === 'grey16' || space === 'rgb16'));
  const coloured = ['srgb', 'rgb', 'b-w', 'cmyk', 'grey16', 'rgb16'].includes(space);
  if (!known || !coloured)
    throw new ImageError(
      `a ${format.toUpperCase()} of ${space} with values of the type ${depth}`,
      'grey, RGB or CMYK with 8 or 16 bits: convert it',
    );
  if (format === 'tiff' && depth === 'ushort' && space === 'rgb16')
    throw new ImageError('a TIFF of colours with 16 bits', '8 bits: convert it');
  if (space === 'cmyk' && channels !== 4)
    throw new ImageError(`a ${format.toUpperCase()} of CMYK with ${channels} channels`, 'four: convert it');
  const colours = format === 'tiff' ? tiffTag(bytes, TIFF_TAGS.photometric) : undefined;
  if (colours === YCBCR && tiffTag(bytes, TIFF_TAGS.compression) !== BY_JPEG)
    throw new ImageError('a TIFF of YCbCr', 'grey, RGB or CMYK: convert it');
  if (colours === WHITE_IS_ZERO && depth === 'ushort')
    throw new ImageError(
      'a TIFF of grey with 16 bits whose zeros are white',
      'zeros that are black: convert it',
    );
  if (format === 'gif' && !gifFrameIsWhole(bytes))
    throw new ImageError('a GIF whose first frame is not the whole image', 'one that is: convert it to PNG');
  if (format === 'gif' && hasAlpha)
    throw new ImageError('a GIF with transparency', 'an image without: convert it to PNG');
}

/** What stands where an image should begin. */
function beginningOf(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'an empty file';
  const text = Buffer.from(bytes.subarray(0, 12)).toString('latin1');
  return `a file of ${bytes.length} bytes that begins with ${JSON.stringify(text)}`;
}

/** What the library says, without its own name and the lines that repeat it. */
function faultIn(error: unknown): string {
  const text = messageOf(error).trim();
  const line = text.includes('\n') ? firstLine(text) : text;
  return `an image that cannot be decoded (${line.replace(/^Input (buffer|file) (has |contains )?/, '')})`;
}
