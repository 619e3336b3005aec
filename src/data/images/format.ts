/** What an image is coded in, by its first bytes. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'tiff' | 'gif' | 'bmp' | 'pnm';

const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];

const beginnings: readonly (readonly [ImageFormat, readonly (number | undefined)[]])[] = [
  ['jpeg', [0xff, 0xd8, 0xff]],
  ['png', [0x89, ...ascii('PNG\r\n'), 0x1a, 0x0a]],
  ['webp', [...ascii('RIFF'), undefined, undefined, undefined, undefined, ...ascii('WEBP')]],
  ['tiff', [...ascii('II'), 42, 0]],
  ['tiff', [...ascii('MM'), 0, 42]],
  ['gif', ascii('GIF8')],
  ['bmp', ascii('BM')],
];

/**
 * What a file is coded in, whatever it is called.
 *
 * @param bytes - the file
 * @returns undefined when it is none of the formats of photographs
 */
export function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  // Binary ones: those in digits are no images of data sets.
  if (bytes[0] === 0x50 && (bytes[1] === 0x35 || bytes[1] === 0x36)) return 'pnm';
  return beginnings.find(([, expected]) =>
    expected.every((byte, index) => byte === undefined || byte === bytes[index]),
  )?.[0];
}

/** Suffixes of images, as torchvision's `ImageFolder` has them. */
const SUFFIXES = ['.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp'];

/** Whether a file is one of the images of a folder, by its name. */
export function hasImageName(name: string): boolean {
  const lower = name.toLowerCase();
  return SUFFIXES.some((suffix) => lower.endsWith(suffix));
}
