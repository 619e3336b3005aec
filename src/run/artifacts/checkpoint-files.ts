import { open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { z } from 'zod';
import type { Kept, CheckpointStore, Tensors } from '../../compress/checkpoints.js';
import type { DType } from '../../onnx/dtype.js';
import { readRange } from '../../onnx/file.js';
import { byteLength, type TensorSource } from '../../onnx/tensor.js';

/** Where a tensor lies: an entry's file, and the place in it. */
interface Place {
  readonly path: string;
  readonly offset: number;
}

/** Where the tensors lie that were put on shelves: one that is put there again is not written again. */
const places = new WeakMap<TensorSource, Place>();

const headerSchema = z.object({
  /** As the stage gave it: this very version of the code wrote it. */
  value: z.unknown(),
  tensors: z.array(
    z.object({
      name: z.string(),
      dtype: z.custom<DType>(),
      dims: z.array(z.number()),
      /** The file of another entry that the tensor lies in; undefined for this one. */
      path: z.string().optional(),
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
 * A shelf in a directory: each entry is a file, which appears when all of it is on the disk. Tensors are read from it when they
 * are asked for, so that what a stage has made so far takes no memory.
 *
 * @param directory - it exists; nothing but entries has names ending in `.kept`
 */
export function shelfIn(directory: string): CheckpointStore {
  const pathOf = (name: string): string => join(directory, `${encodeURIComponent(name)}.kept`);

  const take = async <T>(name: string): Promise<Kept<T> | undefined> => {
    try {
      const path = pathOf(name);
      const length = new DataView((await readRange(path, 0, LENGTH_BYTES)).buffer).getBigUint64(0, true);
      const start = LENGTH_BYTES + Number(length);
      const header = headerSchema.parse(deserialize(await readRange(path, LENGTH_BYTES, Number(length))));
      if ((await stat(path)).size !== start + header.bytes) return undefined;
      const tensors = new Map<string, TensorSource>();
      for (const { name: tensor, dtype, dims, path: other, offset } of header.tensors) {
        const place = other === undefined ? { path, offset: start + offset } : { path: other, offset };
        const bytes = byteLength({ dtype, dims });
        if ((await stat(place.path)).size < place.offset + bytes) return undefined;
        tensors.set(tensor, tensorAt(place, dtype, dims));
      }
      return { value: header.value as T, tensors };
    } catch {
      // Whatever is wrong with it: the work can be done again.
      return undefined;
    }
  };

  const put = async (name: string, { value, tensors }: Kept<unknown>): Promise<Tensors> => {
    const path = pathOf(name);
    const own: TensorSource[] = [];
    const header: z.infer<typeof headerSchema> = { value, tensors: [], bytes: 0 };
    for (const [tensor, source] of tensors) {
      const { dtype, dims } = source;
      const place = places.get(source);
      const elsewhere =
        place?.path.startsWith(join(directory, '/')) && place.path !== path ? place : undefined;
      const info = { name: tensor, dtype, dims: [...dims] };
      header.tensors.push({ ...info, ...(elsewhere ?? { offset: header.bytes }) });
      if (elsewhere) continue;
      own.push(source);
      header.bytes += byteLength(source);
    }
    const head = serialize(header);
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setBigUint64(0, BigInt(head.byteLength), true);
    const partial = `${path}.partial`;
    const file = await open(partial, 'w');
    try {
      for (const bytes of [length, head]) await file.writeFile(bytes);
      for (const source of own) await file.writeFile(await source.read());
      // A file that has its name and not yet its bytes would be taken for whole after a power cut.
      await file.datasync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
    const start = LENGTH_BYTES + head.byteLength;
    return new Map(
      header.tensors.map(({ name: tensor, dtype, dims, path: other, offset }) => [
        tensor,
        tensorAt(
          other === undefined ? { path, offset: start + offset } : { path: other, offset },
          dtype,
          dims,
        ),
      ]),
    );
  };

  return { take, put, drop: (name) => rm(pathOf(name), { force: true }) };
}

function tensorAt(place: Place, dtype: DType, dims: readonly number[]): TensorSource {
  const { path, offset } = place;
  const tensor = { dtype, dims, read: () => readRange(path, offset, byteLength({ dtype, dims })) };
  places.set(tensor, place);
  return tensor;
}
