import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { InputError, messageOf } from '../../base/errors.js';
import { packageRoot } from '../../base/paths.js';
import type { UnpackResult, UnpackTask } from './unpack.js';

/** What the process takes at most for values, apart from bytes. */
const MAX_HEAP_MIB = 1024;

/** How a process ends whose memory is not enough: by itself, or by the system. */
const OUT_OF_MEMORY = ['SIGABRT', 'SIGKILL', 'SIGTRAP'];

const faultSchema = z.object({
  source: z.string(),
  place: z.string().exactOptional(),
  found: z.string(),
  expected: z.string(),
  hint: z.string().exactOptional(),
});
const resultSchema: z.ZodType<UnpackResult> = z.union([
  z.object({ kind: z.literal('unpacked') }),
  z.object({ kind: z.literal('refused'), fault: faultSchema }),
]);

/** How `execFile` says that a process ended otherwise than well. */
const endSchema = z.object({
  signal: z.string().nullish(),
  code: z.union([z.number(), z.string()]).nullish(),
});

/**
 * Unpacks a Parquet file in a process of its own: of a damaged one a few bytes may speak of values without end, and what runs out of
 * memory then is that process alone.
 *
 * @param task - the file and the folder
 * @param signal - stops it
 * @throws InputError when the file is damaged or holds something else; the signal's reason when it fires
 */
export async function unpackApart(task: UnpackTask, signal: AbortSignal | undefined): Promise<void> {
  const program = join(packageRoot(), 'dist', 'command', 'unpack.js');
  const args = [`--max-old-space-size=${MAX_HEAP_MIB}`, program, JSON.stringify(task)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { ...(signal && { signal }) }).catch(
    (error: unknown) => {
      signal?.throwIfAborted();
      throw endedBadly(task, error);
    },
  );
  const result = resultSchema.parse(JSON.parse(stdout));
  if (result.kind === 'refused') throw new InputError(result.fault);
}

function endedBadly({ path }: UnpackTask, error: unknown): Error {
  const { signal, code } = endSchema.safeParse(error).data ?? {};
  if (OUT_OF_MEMORY.includes(signal ?? '') || code === 134)
    return new InputError({
      source: path,
      found: `more values than fit into ${MAX_HEAP_MIB} MiB`,
      expected: 'a whole Parquet file, with row groups that fit into memory',
    });
  return new Error(`unpacking ${path} failed: ${messageOf(error)}`, { cause: error });
}
