import { InputError } from '../base/errors.js';
import { pickedRows } from '../vit/derived.js';
import { weightOf, withWeights, type ViT } from '../vit/vit.js';
import type { ModelRecord } from './record.js';

/** A model whose classes are compared with those of the images. */
export interface MatchedModel {
  readonly vit: ViT;
  readonly match: ClassMatch;
  /** In sentences. */
  readonly notes: readonly string[];
  /** Its classes that are those of the images, where their names say so. */
  readonly classes?: ModelRecord['classes'];
}

/** How a model's classes stand to those of the images. */
export type ClassMatch =
  /** The same names in the same order. */
  | { readonly kind: 'same' }
  /** As many, without names: nothing says in which order. */
  | { readonly kind: 'unnamed' }
  /** The same classes under other names, in another order, or among others. */
  | {
      readonly kind: 'mapped';
      /** For each class of the images, the model's class that it is. */
      readonly order: readonly number[];
    }
  /** Other classes, or other numbers of them. */
  | { readonly kind: 'other number' }
  | {
      readonly kind: 'other';
      /** A class of the model that is none of the images, or one of several that are the same. */
      readonly name: string;
    };

/** Names for one and the same class, as data sets and WordNet have them. */
const SYNONYMS: readonly (readonly string[])[] = [
  ['airplane', 'aeroplane', 'plane', 'aircraft', 'airliner', 'jet'],
  ['automobile', 'car', 'auto', 'motorcar'],
  ['bird'],
  ['cat', 'domestic cat', 'house cat', 'felis catus'],
  ['deer', 'cervid'],
  ['dog', 'domestic dog', 'canis familiaris'],
  ['frog', 'toad frog', 'anuran'],
  ['horse', 'equus caballus'],
  ['ship', 'boat'],
  ['truck', 'lorry', 'motortruck'],
];

/** Names that name nothing: `LABEL_3`, `class 3`, `3`. */
const UNNAMED = /^(?:label|class|category)?[ _-]?(\d+)$/i;

/**
 * Compares the classes of a model with those of the images by their names: case, punctuation, plurals, WordNet's lists of synonyms
 * and common other names make no difference.
 *
 * @param model - class names in the order of the logits
 * @param images - class names in the order of the labels
 */
export function matchClasses(model: readonly string[], images: readonly string[]): ClassMatch {
  if (model.length < images.length) return { kind: 'other number' };
  if (model.every((name, index) => name === images[index])) return { kind: 'same' };
  if (model.length > images.length) return amongOthers(model, images);
  const numbers = model.map((name) => UNNAMED.exec(name.trim())?.[1]);
  for (const first of [0, 1])
    if (numbers.every((number, index) => number !== undefined && Number(number) === index + first))
      return { kind: 'unnamed' };
  const known = images.map(namesOf);
  const order = new Array<number>(images.length).fill(-1);
  for (const [index, name] of model.entries()) {
    const names = namesOf(name);
    const matches = known.flatMap((those, image) => (overlap(names, those) ? [image] : []));
    const [image, another] = matches;
    if (image === undefined || another !== undefined || order[image] !== -1) return { kind: 'other', name };
    order[image] = index;
  }
  return { kind: 'mapped', order };
}

/** The classes of the images among more of a model; each must be one of them. */
function amongOthers(model: readonly string[], images: readonly string[]): ClassMatch {
  const known = model.map(namesOf);
  const order: number[] = [];
  for (const name of images) {
    const names = namesOf(name);
    const [place, another] = known.flatMap((those, index) => (overlap(names, those) ? [index] : []));
    if (place === undefined || another !== undefined || order.includes(place))
      return { kind: 'other number' };
    order.push(place);
  }
  return { kind: 'mapped', order };
}

/** What of a match is stored: how the model calls each class of the images, and where it stands. */
function tableOf(
  model: readonly string[],
  images: readonly string[],
  order: readonly number[],
): NonNullable<ModelRecord['classes']> {
  return images.map((name, index) => {
    const place = order[index] ?? index;
    return { images: name, model: model[place] ?? '', place };
  });
}

/**
 * Compares the classes of a model with those of the images, and says what came of it.
 *
 * @param source - the model's file, for the message
 * @param labels - class names of the model, in the order of its logits
 * @param images - class names of the images
 * @returns how they match, and notes in sentences
 * @throws InputError when the model is for as many other classes
 */
export function classesMatched(
  source: string,
  labels: readonly string[],
  images: readonly string[],
): {
  readonly match: Exclude<ClassMatch, { kind: 'other' }>;
  readonly notes: readonly string[];
  readonly classes?: ModelRecord['classes'];
} {
  const match = matchClasses(labels, images);
  switch (match.kind) {
    case 'same':
      return { match, notes: [], classes: tableOf(labels, images, []) };
    case 'other number':
      return { match, notes: [] };
    case 'unnamed':
      return {
        match,
        notes: [
          `Its classes have no names (${labels[0] ?? '…'}, ${labels[1] ?? '…'}, …): they are assumed to be those of the images, in the same order.`,
        ],
      };
    case 'other':
      throw new InputError({
        source,
        place: 'classes',
        found: `the class "${match.name}" among ${labels.length}`,
        expected: `the classes of the images, each once: ${images.join(', ')}`,
        hint: 'If they are the same under other names, use these names in config.json (id2label).',
      });
    case 'mapped': {
      const moved = match.order.filter((from, to) => from !== to).length;
      const renamed = match.order.filter((from, to) => labels[from] !== images[to]).length;
      return {
        match,
        classes: tableOf(labels, images, match.order),
        notes: [
          (match.order.length < labels.length
            ? `The ${match.order.length} classes of the images were found by name among its ${labels.length}; the others are dropped`
            : 'Its classes were matched with those of the images by name') +
            (moved > 0 ? `; ${moved} of ${match.order.length} are at another index` : '') +
            (renamed > 0
              ? `; ${renamed} have another name (${nameChange(labels, images, match.order)})`
              : '') +
            '.',
        ],
      };
    }
  }
}

/**
 * A model whose logits are in the order of the images' classes, under their names.
 *
 * @param source - the model's file, for the message
 * @param vit - the model; one without a head, or for another number of classes, stays as it is, since it gets another head
 * @param images - class names of the images
 * @returns the model, how its classes matched, and notes in sentences
 * @throws InputError when the model is for as many other classes
 */
export function withClassesOf(source: string, vit: ViT, images: readonly string[]): MatchedModel {
  const { labels } = vit.config;
  const found = classesMatched(source, labels, images);
  const { match } = found;
  if (match.kind === 'same' || match.kind === 'other number') return { vit, ...found };
  const named: ViT = { ...vit, config: { ...vit.config, labels: [...images] } };
  const asTheyAre =
    match.kind === 'unnamed' ||
    (match.order.length === labels.length && match.order.every((from, to) => from === to));
  if (asTheyAre) return { vit: named, ...found };
  const rows = Int32Array.from(match.order);
  const weights = ['head.weight', 'head.bias'].map(
    (name) => [name, pickedRows(weightOf(vit, name), rows)] as const,
  );
  return { vit: withWeights(named, weights), ...found };
}

function nameChange(labels: readonly string[], images: readonly string[], order: readonly number[]): string {
  const changes = order.flatMap((from, image) =>
    labels[from] === images[image] ? [] : [`${labels[from] ?? ''} is ${images[image] ?? ''}`],
  );
  return changes[0] ?? '';
}

/** All names of a class, its own and its synonyms. */
function namesOf(name: string): ReadonlySet<string> {
  const own = name
    .replace(/^n\d{8}\b/, '')
    .split(',')
    .flatMap(forms);
  const sets = SYNONYMS.filter((set) => set.some((each) => own.includes(each)));
  return new Set([...own, ...sets.flat()]);
}

/** A name in lower case without punctuation, and without the s of a plural. */
function forms(name: string): string[] {
  const plain = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim();
  if (plain === '') return [];
  return plain.length > 3 && plain.endsWith('s') ? [plain, plain.slice(0, -1)] : [plain];
}

function overlap(some: ReadonlySet<string>, others: ReadonlySet<string>): boolean {
  for (const name of some) if (others.has(name)) return true;
  return false;
}
