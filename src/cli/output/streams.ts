import { setImmediate as nextTurn } from 'node:timers/promises';
import { ResourceError } from '../../base/errors.js';
import { systemFailure } from '../../base/write-failure.js';

/** Standard output and standard error, watched: what becomes of what was written. */
export interface Streams {
  /**
   * Waits until all that was written has arrived, or nobody reads it any more.
   *
   * @throws ResourceError when it could not be written: a full disk
   */
  settled(): Promise<void>;
}

/**
 * Watches standard output and standard error. A reader that has left, as `head` does, is no error: what is written from then on goes
 * nowhere, and the command ends as it would have ended. Anything else that keeps output from arriving is one.
 */
export function watchStreams(): Streams {
  let failure: NodeJS.ErrnoException | undefined;
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') failure ??= error;
    });
  return {
    settled: async () => {
      if (process.stdout.writable) await new Promise((resolve) => process.stdout.write('', resolve));
      // A stream says that it failed once whoever wrote to it has gone on.
      await nextTurn();
      if (failure === undefined) return;
      const why = systemFailure(failure)?.message ?? failure.message;
      throw new ResourceError(`standard output could not be written: ${why}`, { cause: failure });
    },
  };
}
