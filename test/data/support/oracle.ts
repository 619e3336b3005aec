import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../../../src/base/paths.js';
import type { LabelledItem } from '../../../src/data/images/item.js';
import { bytesOf, pictureOf } from '../../../src/data/images/read.js';
import { collect } from '../../../src/data/sets/collect.js';
import type { Collected } from '../../../src/data/sets/collected.js';
import type { Declaration } from '../../../src/data/sets/declaration.js';
import { declarationFrom } from '../../../src/data/sets/declared.js';

/** A path among the small sets, which `make.py` made beside them; without names that of all of them. */
export function inSets(...names: readonly string[]): string {
  return join(packageRoot(), 'test', 'data', 'fixtures', 'sets', ...names);
}

const splitSchema = z.object({
  /** SHA-256 of each image as RGB, row by row. */
  pixels: z.array(z.string()),
  labels: z.array(z.union([z.number(), z.string()])),
});

/** Images of one split, as Python read them. */
export type ReadByPython = z.infer<typeof splitSchema>;

const expected = z
  .record(z.string(), z.unknown())
  .parse(JSON.parse(readFileSync(inSets('expected.json'), 'utf8')));

/** What Python read of a set of one split. */
export function pythonRead(name: string): ReadByPython {
  return splitSchema.parse(expected[name]);
}

/** What Python read of a set of two. */
export function pythonReadSplits(name: string): {
  readonly train: ReadByPython;
  readonly test: ReadByPython;
} {
  return z.object({ train: splitSchema, test: splitSchema }).parse(expected[name]);
}

/** SHA-256 of the binary version that Python wrote of pickles, by file. */
export function pythonWrote(name: string): Readonly<Record<string, string>> {
  return z.record(z.string(), z.string()).parse(expected[name]);
}

/** A declaration of images among the small sets, or elsewhere. */
export function declare(path: string, said: Partial<Declaration> = {}): Declaration {
  return declarationFrom({ path, ...said }, 'own', inSets('suite.yaml'));
}

/** The images of a declaration as Python read them; both splits, or all under `all`. */
export async function read(
  path: string,
  said: Partial<Declaration> = {},
): Promise<{ readonly labels: readonly string[]; readonly splits: Readonly<Record<string, ReadByPython>> }> {
  const { labels, splits }: Collected = await collect(declare(path, said));
  const byName: Readonly<Record<string, readonly LabelledItem[]>> =
    splits.kind === 'one' ? { all: splits.all } : { train: splits.train, test: splits.test };
  const found: Record<string, ReadByPython> = {};
  for (const [name, items] of Object.entries(byName))
    found[name] = {
      pixels: await Promise.all(items.map(({ place }) => digestOf(place))),
      labels: items.map(({ label }) => label),
    };
  return { labels, splits: found };
}

async function digestOf(place: LabelledItem['place']): Promise<string> {
  const { pixels } = await pictureOf(place, await bytesOf(place), { exif: false });
  return createHash('sha256').update(pixels).digest('hex');
}
