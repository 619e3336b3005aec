import { InputError } from '../../base/errors.js';
import { didYouMean } from '../../base/similar.js';
import type { NamedParts } from '../marks.js';
import { isSplit, splitNamed } from '../sets/splits.js';
import { filesInZip } from './zip.js';

/** Arrays of an archive that belong together. */
export interface ArrayPair {
  readonly images: string;
  readonly labels: string;
  /** What the classes are called; undefined where no array says so. */
  readonly names: string | undefined;
}

/** Words in names of arrays. */
const WORDS = {
  images: ['images', 'image', 'imgs', 'img', 'x', 'data', 'pixels'],
  labels: ['labels', 'label', 'y', 'targets', 'target'],
} as const;

/** Names of the array that says what the classes are called. */
const CLASS_NAMES = ['class_names', 'label_names', 'classes', 'names'];

/**
 * Names of the arrays of an archive.
 *
 * @param path - of the archive
 * @throws InputError when it is damaged
 */
export async function arrayNames(path: string): Promise<string[]> {
  const names: string[] = [];
  await filesInZip(path, (file) => {
    if (file.endsWith('.npy')) names.push(file.slice(0, -'.npy'.length));
    return false;
  });
  return names;
}

/**
 * Which arrays are the images and labels of which split, by their names or as a user names them.
 *
 * @param path - of the archive, for messages
 * @param arrays - their names
 * @param named - by a user
 * @returns by split; under an empty name where there is one without a name
 * @throws InputError when there are none, or one of a pair is missing or there twice
 */
export function pairsIn(
  path: string,
  arrays: readonly string[],
  { image, label }: NamedParts,
): ReadonlyMap<string, ArrayPair> {
  const names = arrays.find((name) => CLASS_NAMES.includes(name.toLowerCase()));
  const all = arrays.slice(0, 20).join(', ') || 'none';
  const refuse = (found: string, expected: string): InputError =>
    new InputError({
      ...{ source: path, place: 'arrays', found, expected },
      hint: 'Name those that are meant: "image: …" and "label: …" in a declaration, --image and --label on the command line.',
    });
  if (image !== undefined || label !== undefined) {
    const missing = [image, label].find((name) => name !== undefined && !arrays.includes(name));
    if (missing !== undefined) throw refuse(`no ${missing}${didYouMean(missing, arrays)}`, `one of ${all}`);
    if (image === undefined || label === undefined)
      throw refuse(`${image === undefined ? 'label' : 'image'} alone`, 'both image and label');
    return new Map([['', { images: image, labels: label, names }]]);
  }
  const found = new Map<string, { images?: string; labels?: string }>();
  for (const name of arrays) {
    const role = roleOf(name);
    if (role === undefined) continue;
    const pair = found.get(role.split) ?? {};
    const twice = pair[role.kind];
    if (twice !== undefined) throw refuse(`both ${twice} and ${name}`, `one array of ${role.kind}`);
    found.set(role.split, { ...pair, [role.kind]: name });
  }
  const pairs = new Map<string, ArrayPair>();
  for (const [split, { images, labels }] of found) {
    if (images === undefined || labels === undefined)
      throw refuse(
        `${images ?? labels ?? ''} without its ${images === undefined ? 'images' : 'labels'} (${all})`,
        'images and labels, as x_train and y_train or train_images and train_labels',
      );
    pairs.set(split, { images, labels, names });
  }
  if (pairs.size === 0)
    throw refuse(`the arrays ${all}`, 'images and labels; or x_train, y_train, x_test and y_test');
  return pairs;
}

/** What an array is by its name: each of its words says one thing. */
function roleOf(name: string): { readonly kind: keyof typeof WORDS; readonly split: string } | undefined {
  let kind: keyof typeof WORDS | undefined;
  let split = '';
  for (const word of name.toLowerCase().split(/[^a-z0-9]+/)) {
    const known = (['images', 'labels'] as const).find((each) => WORDS[each].some((other) => other === word));
    if (known !== undefined && kind === undefined) kind = known;
    else if (isSplit(splitNamed(word)) && split === '') split = splitNamed(word);
    else return undefined;
  }
  return kind && { kind, split };
}
