import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InputError } from '../../base/errors.js';
import { cifar10 } from '../cifar10.js';
import { cifar100, cifar100Coarse } from '../cifar100.js';
import { recordBytes, type Dataset, type Split } from '../dataset.js';
import type { ImagePlace, LabelledItem } from '../images/item.js';
import type { DatasetKind } from '../kind.js';
import type { Collected } from './collected.js';
import type { Declaration } from './declaration.js';

/** By which labels CIFAR-100 may be classified. */
const CIFAR100 = { fine: cifar100, coarse: cifar100Coarse } as const;

/**
 * Which CIFAR the files of a folder are, by their names, in its binary or its Python version.
 *
 * @param names - of the files
 * @returns undefined when they are neither
 */
export function cifarAmong(names: readonly string[]): 'cifar10' | 'cifar100' | undefined {
  const has = (...files: readonly string[]): boolean => files.every((file) => names.includes(file));
  if (has('test_batch.bin', 'batches.meta.txt') || has('test_batch', 'batches.meta')) return 'cifar10';
  if (has('train.bin', 'test.bin', 'fine_label_names.txt') || has('train', 'test', 'meta')) return 'cifar100';
  return undefined;
}

/**
 * The images of a CIFAR that a user declares under a name of their own.
 *
 * @param declaration - where it lies; of CIFAR-100 `label` may say `fine`, which is meant where it is left out, or `coarse`
 * @throws InputError when a file is missing, truncated or altered, or other splits or labels are asked for
 */
export async function collectCifar(declaration: Declaration): Promise<Collected> {
  const { path, source, train, test, holdout, image, labels } = declaration;
  const strange = Object.entries({ train, test, holdout, image, labels }).find(
    ([, value]) => value !== undefined,
  );
  if (strange !== undefined)
    throw new InputError({
      source,
      place: strange[0],
      found: `"${String(strange[1])}" for ${path}, which is a CIFAR`,
      expected: 'path alone: CIFAR has splits and classes of its own',
    });
  const { train: trained, test: scored } = await (await kindOf(declaration)).open(path);
  return {
    labels: trained.labels,
    splits: { kind: 'declared', train: itemsOf(path, trained), test: itemsOf(path, scored) },
    ignored: new Map(),
  };
}

async function kindOf({ path, source, label }: Declaration): Promise<DatasetKind> {
  if (cifarAmong(await readdir(path).catch(() => [])) !== 'cifar100') {
    if (label === undefined) return cifar10;
    throw new InputError({
      source,
      place: 'label',
      found: label,
      expected: 'nothing: CIFAR-10 has one label',
    });
  }
  if (label === undefined || label === 'fine' || label === 'coarse') return CIFAR100[label ?? 'fine'];
  throw new InputError({ source, place: 'label', found: label, expected: 'fine or coarse, for CIFAR-100' });
}

function itemsOf(directory: string, { images, classes }: Dataset<Split>): readonly LabelledItem[] {
  if (images.kind !== 'records') throw new Error(`${directory} has images of another kind`);
  const { layout, files } = images.records;
  const { height, width, labelBytes } = layout;
  const step = recordBytes(layout);
  const places = files.flatMap(({ path, records }) => {
    // Pickles were turned into records elsewhere.
    const from = path.startsWith(join(directory, '/')) ? path : join(directory, basename(path, '.bin'));
    return Array.from({ length: records }, (_, record): ImagePlace => ({
      ...{ kind: 'pixels', path, begin: record * step + labelBytes, height, width },
      ...{ channels: 3, order: 'apart', from, at: `record ${record}` },
    }));
  });
  return places.map((place, index) => ({ place, label: classes[index] ?? 0 }));
}
