import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hashJson } from '../../base/hash.js';
import { cacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';
import type { Work } from '../dataset.js';
import type { DecodeOptions } from '../images/decode.js';
import type { LabelledItem } from '../images/item.js';
import { SIGNATURE_BYTES } from '../images/perceptual.js';
import { inThreads } from '../images/pool.js';
import { stateOf } from '../file-state.js';

/** Raised whenever the same files would give other digests, signatures or refusals. */
const EXAMINE_VERSION = 2;

/** Beyond this many images a set is not decoded before it is used: files are compared by their sums alone. */
const MOST_LOOKED_AT = 100_000;

/** What is known of the images of a set once each was looked at. */
export interface Examined {
  /** SHA-256 of the bytes of each image, in hex. */
  readonly digests: readonly string[];
  /** What each looks like from afar, one after another; undefined where there are too many to look at. */
  readonly signatures: Uint8Array | undefined;
}

/** How a set is examined. */
export interface ExamineOptions extends DecodeOptions, Work {
  /** Of the set, for people. */
  readonly title: string;
  /** Look again, though no file has another size or time than when it was looked at. */
  readonly again?: boolean;
}

/**
 * Reads every image of a set once, and decodes it: its sum, and what it looks like. What is found is kept in the cache for as long as no
 * file has another size, time of change or place on the disk.
 *
 * @param items - the images
 * @param options - how they are decoded, progress and signal
 * @throws InputError for the first image that cannot be used; the signal's reason when it fires
 */
export async function examined(items: readonly LabelledItem[], options: ExamineOptions): Promise<Examined> {
  const { title, exif, signal, again = false } = options;
  const looks = items.length <= MOST_LOOKED_AT;
  const files = await statesOf(items);
  const key = cacheKey('images', { files, exif, looks, version: EXAMINE_VERSION });
  const entry = await cache().make(
    key,
    { title: `what ${title} holds`, replace: again, signal },
    async (folder) => {
      const digests: string[] = [];
      const signatures: Uint8Array[] = [];
      const places = items.map(({ place }) => place);
      const results = inThreads(places, { exif }, { kind: 'examine', looks }, `looking at ${title}`, options);
      for await (const result of results) {
        digests.push(...result.digests);
        signatures.push(result.signatures);
      }
      await writeFile(join(folder, DIGESTS), digests.join('\n'));
      await writeFile(join(folder, SIGNATURES), Buffer.concat(signatures));
    },
  );
  const signatures = await readFile(join(entry.files, SIGNATURES));
  if (looks && signatures.length !== items.length * SIGNATURE_BYTES)
    throw new Error(
      `${entry.files} holds ${signatures.length} bytes of signatures for ${items.length} images`,
    );
  return {
    digests: (await readFile(join(entry.files, DIGESTS), 'utf8')).split('\n'),
    signatures: looks ? signatures : undefined,
  };
}

const DIGESTS = 'digests.txt';
const SIGNATURES = 'signatures.bin';

/** Hash of which files there are and what the file system says of each: whether it is the one that was looked at. */
async function statesOf(items: readonly LabelledItem[]): Promise<string> {
  const states = new Map<string, readonly number[]>();
  for (const {
    place: { path },
  } of items) {
    if (states.has(path)) continue;
    states.set(path, await stateOf(path, 'an image that can be read'));
  }
  return hashJson(items.map(({ place }) => [place, states.get(place.path)]));
}
