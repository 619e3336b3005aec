import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { InputError } from '../../base/errors.js';
import { packageRoot } from '../../base/paths.js';
import type { Work } from '../dataset.js';
import type { DecodeOptions } from './decode.js';
import type { ImagePlace } from './item.js';
import type { ImageResult, ImageTask } from './tasks.js';

/** Images of a task: enough that handing them over costs nothing, few enough that memory is bounded and progress is seen. */
const IMAGES_PER_TASK = 16;

/** What one kind of work gives. */
export type ResultOf<Kind extends ImageTask['work']['kind']> = Extract<
  ImageResult,
  { readonly kind: Kind extends 'examine' ? 'examined' : 'rendered' }
>;

/**
 * Does something with images in threads, and gives the results in the order of the images. No more are in memory than the threads work
 * on and as many again.
 *
 * @param images - where they lie
 * @param options - how files are decoded
 * @param work - what to do
 * @param what - what that is, in words for the progress
 * @param control - progress and signal
 * @throws InputError for the first image that cannot be used; the signal's reason when it fires
 */
export async function* inThreads<Kind extends ImageTask['work']['kind']>(
  images: readonly ImagePlace[],
  options: DecodeOptions,
  work: Extract<ImageTask['work'], { readonly kind: Kind }>,
  what: string,
  { signal, onProgress }: Work,
): AsyncGenerator<ResultOf<Kind>> {
  const { Piscina } = await import('piscina');
  const threads = Math.max(1, Math.min(availableParallelism(), Math.ceil(images.length / IMAGES_PER_TASK)));
  const pool = new Piscina({
    filename: join(packageRoot(), 'dist', 'command', 'images.js'),
    minThreads: threads,
    maxThreads: threads,
  });
  const running: Promise<ImageResult>[] = [];
  let next = 0;
  const start = (): void => {
    const task: ImageTask = { images: images.slice(next, next + IMAGES_PER_TASK), options, work };
    next += IMAGES_PER_TASK;
    const result = pool.run(task) as Promise<ImageResult>;
    // It is awaited in its turn; until then a failure is nobody's yet.
    result.catch(() => undefined);
    running.push(result);
  };
  try {
    let done = 0;
    while (next < images.length && running.length < 2 * threads) start();
    for (let first = running.shift(); first !== undefined; first = running.shift()) {
      const result = await first;
      signal?.throwIfAborted();
      if (result.kind === 'refused') throw new InputError(result.fault);
      if (next < images.length) start();
      done = Math.min(images.length, done + IMAGES_PER_TASK);
      onProgress?.(done / images.length, `${what}: ${done} of ${images.length} images`);
      yield result as ResultOf<Kind>;
    }
  } finally {
    await pool.destroy();
  }
}
