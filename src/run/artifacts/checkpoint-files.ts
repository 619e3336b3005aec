import { open } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import type { OpenEntry } from '../../cache/entry.js';
import type { Kept, CheckpointStore, Tensors } from '../../compress/checkpoints.js';
import type { DType } from '../../onnx/dtype.js';
import { readRange } from '../../base/read-range.js';
import { byteLength, type TensorSource } from '../../onnx/tensor.js';

/** Where a tensor lies: a file, and the place in it. */
interface Place {
  readonly path: string;
  readonly offset: number;
}

/** Where the tensors lie that were put into checkpoints: one that is put there again is not written again. */
const places = new WeakMap<TensorSource, Place>();

const headerSchema = z.object({
  /** As the stage gave it: the version of the stage that the entry's key names wrote it. */
  value: z.unknown(),
  tensors: z.array(
    z.object({
      name: z.string(),
      dtype: z.custom<DType>(),
      dims: z.array(z.number()),
      /** Another file of the entry that the tensor lies in; undefined for this one. */
      file: z.string().optional(),
      /** From the beginning of the other file, or from the end of this header. */
      offset: z.number(),
    }),
  ),
  /** Bytes of the tensors behind the header. */
  bytes: z.number(),
});

/** Bytes in front of a header that say how long it is. */
const LENGTH_BYTES = 8;

/**
 * Checkpoints as files of a cache entry, each of which counts when all of it is on the disk with its digest. Tensors are read from it
 * when they are asked for, so that what a stage has made so far takes no memory.
 *
 * @param entry - this process alone works on it
 */
export function checkpointsIn(entry: OpenEntry): CheckpointStore {
  const fileOf = (name: string): string => `${encodeURIComponent(name)}.kept`;

  const take = async <T>(name: string): Promise<Kept<T> | undefined> => {
    try {
      if (!(await entry.has(fileOf(name)))) return undefined;
      const path = entry.pathOf(fileOf(name));
      const length = new DataView((await readRange(path, 0, LENGTH_BYTES)).buffer).getBigUint64(0, true);
      const start = LENGTH_BYTES + Number(length);
      const header = headerSchema.parse(deserialize(await readRange(path, LENGTH_BYTES, Number(length))));
      const tensors = new Map<string, TensorSource>();
      for (const { name: tensor, dtype, dims, file, offset } of header.tensors) {
        if (file !== undefined && !(await entry.has(file))) return undefined;
        const place =
          file === undefined ? { path, offset: start + offset } : { path: entry.pathOf(file), offset };
        tensors.set(tensor, tensorAt(place, dtype, dims));
      }
      return { value: header.value as T, tensors };
    } catch {
      // Whatever is wrong with it: the work can be done again.
      return undefined;
    }
  };

  const put = async (name: string, { value, tensors }: Kept<unknown>): Promise<Tensors> => {
    const path = entry.pathOf(fileOf(name));
    const own: TensorSource[] = [];
    const header: z.infer<typeof headerSchema> = { value, tensors: [], bytes: 0 };
    for (const [tensor, source] of tensors) {
      const { dtype, dims } = source;
      const place = places.get(source);
      const elsewhere =
        place !== undefined && dirname(place.path) === entry.files && place.path !== path
          ? { file: basename(place.path), offset: place.offset }
          : undefined;
      const info = { name: tensor, dtype, dims: [...dims] };
      header.tensors.push({ ...info, ...(elsewhere ?? { offset: header.bytes }) });
      if (elsewhere) continue;
      own.push(source);
      header.bytes += byteLength(source);
    }
    const head = serialize(header);
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setBigUint64(0, BigInt(head.byteLength), true);
    await entry.add(fileOf(name), async (partial) => {
      const file = await open(partial, 'w');
      try {
        for (const bytes of [length, head]) await file.writeFile(bytes);
        for (const source of own) await file.writeFile(await source.read());
      } finally {
        await file.close();
      }
    });
    const start = LENGTH_BYTES + head.byteLength;
    return new Map(
      header.tensors.map(({ name: tensor, dtype, dims, file, offset }) => [
        tensor,
        tensorAt(
          file === undefined ? { path, offset: start + offset } : { path: entry.pathOf(file), offset },
          dtype,
          dims,
        ),
      ]),
    );
  };

  return { take, put, drop: (name) => entry.remove(fileOf(name)) };
}

function tensorAt(place: Place, dtype: DType, dims: readonly number[]): TensorSource {
  const { path, offset } = place;
  const tensor = { dtype, dims, read: () => readRange(path, offset, byteLength({ dtype, dims })) };
  places.set(tensor, place);
  return tensor;
}
