import { InputError } from '../../base/errors.js';
import { hashJson } from '../../base/hash.js';
import { IMAGE_CHANNELS, type Dataset, type Split } from '../dataset.js';
import { channelsAt, faultPlace, nameOfImage, type LabelledItem } from '../images/item.js';
import { SIGNATURE_BYTES, twins } from '../images/perceptual.js';
import type { OpenedData } from '../kind.js';
import { collect } from './collect.js';
import type { Collected, OpenOptions } from './collected.js';
import type { Declaration } from './declaration.js';
import { examined, type Examined } from './examine.js';
import type { Findings, Leak } from './findings.js';
import { heldOut, inTurn } from './order.js';
import { pictures } from './render.js';

/**
 * Opens images that a user declared: finds them, looks at each once, and leaves out of the training images those that are test images,
 * too. The order of a split takes the classes in turn, so that its first images show them all.
 *
 * @param declaration - what they are
 * @param options - progress and signal
 * @throws InputError when the images, their classes or their splits cannot be used, with the place; the signal's reason when it fires
 */
export async function openDeclared(declaration: Declaration, options: OpenOptions = {}): Promise<OpenedData> {
  const { name, exif = false } = declaration;
  const collected = await collect(declaration, options);
  const { train: found, test } = splitsOf(declaration, collected);
  const items = [...found, ...test];
  const channels = channelsOf(items);
  const known = await examined(items, { title: name, exif, ...options });
  const leaks = leaksBetween(found, test, known);
  const left = new Set(leaks.map(({ index }) => index));
  const train = found.filter((_, index) => !left.has(index));
  const digests = new Map(items.map((item, index) => [item, known.digests[index] ?? '']));
  const open = <S extends Split>(split: S, chosen: readonly LabelledItem[]): Dataset<S> => {
    const { labels } = collected;
    const hash = hashJson({
      labels,
      exif,
      images: chosen.map((item) => [digests.get(item), item.label]),
    });
    return {
      ...{ name, split, labels, hash },
      count: chosen.length,
      classes: Uint16Array.from(chosen, ({ label }) => label),
      images: pictures(name, hash, chosen, exif, channels),
    };
  };
  requireClasses(declaration, collected.labels, train, left.size);
  const findings: Findings = {
    ignored: [...collected.ignored].map(([suffix, files]) => ({ suffix, files })),
    looked: known.signatures !== undefined,
    leaks: leaks.map(({ kind, train: from, test: also }) => ({ kind, train: from, test: also })),
  };
  return { train: open('train', train), test: open('test', test), verified: false, findings };
}

/** Training and test images, each with the classes in turn. */
function splitsOf(
  { holdout, source }: Declaration,
  { splits }: Collected,
): { readonly train: readonly LabelledItem[]; readonly test: readonly LabelledItem[] } {
  if (splits.kind === 'declared') return { train: inTurn(splits.train), test: inTurn(splits.test) };
  if (holdout === undefined)
    throw new InputError({
      source,
      place: 'data',
      found: 'images that are in one split',
      expected: 'training and test images, or holdout: 0.2, which keeps a fifth of each class for the test',
    });
  const { train, test } = heldOut(splits.all, holdout);
  return { train: inTurn(train), test: inTurn(test) };
}

/** @throws InputError when images have different numbers of channels */
function channelsOf([first, ...others]: readonly LabelledItem[]): number {
  if (first === undefined) return IMAGE_CHANNELS;
  const channels = channelsAt(first.place);
  const other = others.find(({ place }) => channelsAt(place) !== channels);
  if (other === undefined) return channels;
  throw new InputError({
    ...faultPlace(other.place),
    found: `an image of ${channelsAt(other.place)} channels`,
    expected: `${channels}, as ${nameOfImage(first.place)} has`,
  });
}

/** @throws InputError when a class has no training image */
function requireClasses(
  { path, source }: Declaration,
  labels: readonly string[],
  train: readonly LabelledItem[],
  leftOut: number,
): void {
  const shown = new Set(train.map(({ label }) => label));
  const missing = labels.find((_, label) => !shown.has(label));
  if (missing !== undefined)
    throw new InputError({
      source: path,
      place: `the class "${missing}"`,
      found: `no training image${leftOut > 0 ? ` once ${leftOut} are left out that are test images, too` : ''}`,
      expected: `one at least, of each class that ${source} declares`,
    });
}

/** Training images that are test images too: the same bytes, or the same picture. */
function leaksBetween(
  train: readonly LabelledItem[],
  test: readonly LabelledItem[],
  { digests, signatures }: Examined,
): (Leak & { readonly index: number })[] {
  const tests = new Map<string, number>();
  for (let index = test.length - 1; index >= 0; index--)
    tests.set(digests[train.length + index] ?? '', index);
  const leaks = new Map<number, { readonly test: number; readonly kind: Leak['kind'] }>();
  const border = train.length * SIGNATURE_BYTES;
  const alike = signatures ? twins(signatures.subarray(0, border), signatures.subarray(border)) : [];
  for (const twin of alike) leaks.set(twin.train, { test: twin.test, kind: 'looks alike' });
  for (const index of train.keys()) {
    const same = tests.get(digests[index] ?? '');
    if (same !== undefined) leaks.set(index, { test: same, kind: 'same bytes' });
  }
  return [...leaks].map(([index, leak]) => ({
    index,
    kind: leak.kind,
    train: nameOf(train[index]),
    test: nameOf(test[leak.test]),
  }));
}

function nameOf(item: LabelledItem | undefined): string {
  return item === undefined ? '' : nameOfImage(item.place);
}
