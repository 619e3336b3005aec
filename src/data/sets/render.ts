import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { hashJson } from '../../base/hash.js';
import { sizeText } from '../../base/size.js';
import { cacheKey } from '../../cache/key.js';
import { cache } from '../../cache/store.js';
import type { ImageSource, Records } from '../dataset.js';
import type { LabelledItem } from '../images/item.js';
import { inThreads } from '../images/pool.js';

/** Raised whenever the same files would give other pixels. */
const RENDER_VERSION = 2;

const RECORDS = 'images.bin';
const factsSchema = z.object({ sha256: z.string() });

/**
 * Where the pixels of images come from that lie in files of many sizes: decoded in threads, resized and cut, and written to the cache as
 * they come, so that memory is bounded. The same images are made once for each way of resizing.
 *
 * @param title - of the set, for people
 * @param hash - of the split: which images exactly
 * @param items - its images
 * @param exif - whether they are turned as their EXIF says
 * @param channels - of each
 */
export function pictures(
  title: string,
  hash: string,
  items: readonly LabelledItem[],
  exif: boolean,
  channels: number,
): ImageSource {
  const made = new Map<string, Promise<Records>>();
  return {
    ...{ kind: 'pictures', channels },
    rendered(resizing, indices, work) {
      const key = cacheKey('images', { hash, resizing, indices: hashJson(indices), version: RENDER_VERSION });
      const known = made.get(key.digest);
      if (known) return known;
      const making = (async (): Promise<Records> => {
        const { size } = resizing;
        const chosen = indices.map((index) => {
          const item = items[index];
          if (item === undefined) throw new RangeError(`there is no image ${index}`);
          return item.place;
        });
        const options = {
          title: `${chosen.length} images of ${title} of ${sizeText(size)} pixels`,
          signal: work.signal,
        };
        const entry = await cache().make(key, options, async (folder) => {
          const what = `decoding ${title}`;
          const results = inThreads(chosen, { exif }, { kind: 'render', resizing }, what, work);
          return { sha256: await written(join(folder, RECORDS), results) };
        });
        const { sha256 } = factsSchema.parse(entry.facts);
        return {
          layout: {
            ...{ ...size, labelBytes: 0 },
            ...(resizing.channels !== undefined && { channels: resizing.channels }),
          },
          files: [{ path: join(entry.files, RECORDS), records: chosen.length, sha256 }],
        };
      })();
      made.set(key.digest, making);
      making.catch(() => made.delete(key.digest));
      return making;
    },
  };
}

/** Writes pixels as they come; gives their sum. */
async function written(
  path: string,
  results: AsyncIterable<{ readonly pixels: Uint8Array }>,
): Promise<string> {
  const sum = createHash('sha256');
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    for await (const { pixels } of results) {
      sum.update(pixels);
      yield pixels;
    }
  };
  await pipeline(parts, createWriteStream(path));
  return sum.digest('hex');
}
