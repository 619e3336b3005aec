import type { Job } from '../../base/job.js';
import type { ImagesEvent } from '../../library/images.js';
import type { CheckImagesEvent } from '../../library/image-sets.js';
import { leakLine } from '../../text/data.js';
import { Bar } from './bar.js';
import { stopOnSignal } from '../stop.js';

/**
 * Shows what happens while images are looked at: training images that are test images, too, are left out.
 *
 * @param begin - begins the work; given a signal that fires when the user stops it
 * @throws what the work throws
 */
export async function watchImages<Result>(
  begin: (signal: AbortSignal) => Job<CheckImagesEvent, Result>,
): Promise<Result> {
  const bar = new Bar(process.stderr);
  const { signal, release } = stopOnSignal();
  try {
    const job = begin(signal);
    for await (const event of job)
      if (event.kind === 'loading') bar.show(event);
      else showImagesEvent(event, bar);
    return await job;
  } finally {
    bar.end();
    release();
  }
}

/**
 * Shows what happens while images are opened.
 *
 * @param event - what happens
 * @param bar - where
 */
export function showImagesEvent(event: ImagesEvent, bar: Bar): void {
  if (event.kind === 'leaks') bar.line(`${event.name}: ${leakLine(event.leaks)}`);
  else bar.show({ task: event.name, done: event.done, text: event.text });
}
