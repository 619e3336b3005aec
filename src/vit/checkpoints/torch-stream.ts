import { stat } from 'node:fs/promises';
import { InputError } from '../../base/errors.js';
import { readRange } from '../../base/read-range.js';
import { isKind, unpickleFrom, UnpickleError, type Pickled } from '../../base/unpickle.js';
import { bytesPerElement } from '../../onnx/dtype.js';
import { storageOf } from './torch-storage.js';
import type { StoredEntry } from './zip.js';

/** What a file of `torch.save` says, and where the bytes of its tensors lie. */
export interface Saved {
  readonly said: Pickled;
  /** By the keys of their storages. */
  readonly storages: ReadonlyMap<string, StoredEntry>;
}

/** PyTorch's number before all else (`torch.serialization.MAGIC_NUMBER`), lowest byte first. */
const MAGIC = Buffer.from('6cfc9c46f9206aa85019', 'hex');

/** The pickles before the tensors' bytes are within as many. */
const MAX_PICKLE_BYTES = 64 * 2 ** 20;

/** More tensors than any model has. */
const MAX_STORAGES = 100_000;

/** How many elements a storage has stands before its bytes, in as many. */
const COUNT_BYTES = 8;

/**
 * Reads what `torch.save` wrote before PyTorch 1.6, and does since with `_use_new_zipfile_serialization=False`: five pickles in a row (the
 * number, the version, the machine, what was saved, the keys of storages), then each storage as a count of elements and their bytes
 * (`_legacy_save` of `torch/serialization.py`). Nothing is run, as in `unpickle`.
 *
 * @param path - the file
 * @returns undefined when it is no such file
 * @throws InputError when it is one that is damaged, or of a machine whose numbers have their highest byte first
 */
export async function readTorchStream(path: string): Promise<Saved | undefined> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const { size } = await stat(path);
  const beginning = await readRange(path, 0, Math.min(size, 32));
  if (!Buffer.from(beginning).includes(MAGIC)) return undefined;
  const bytes = await readRange(path, 0, Math.min(size, MAX_PICKLE_BYTES));
  const sizes = new Map<string, number>();
  let at = bytes.indexOf(0x2e, Buffer.from(beginning).indexOf(MAGIC) + MAGIC.length) + 1;
  const next = (what: string): Pickled => {
    try {
      const { value, end } = unpickleFrom(bytes, at, {
        stored: (id) => {
          const storage = storageOf(id);
          if (storage?.dtype !== undefined) sizes.set(storage.key, bytesPerElement(storage.dtype));
        },
      });
      at = end;
      return value;
    } catch (error) {
      if (!(error instanceof UnpickleError)) throw error;
      throw refuse(what, error.message, 'names and shapes of tensors, as torch.save writes them');
    }
  };
  next('the version');
  const machine = next('the machine');
  if (isKind(machine, 'dict') && machine.entries.get('little_endian') === false)
    throw refuse('the machine', 'the highest byte first', 'the lowest byte first');
  const said = next('what was saved');
  const keys = next('the list of storages');
  if (!Array.isArray(keys) || keys.length > MAX_STORAGES)
    throw refuse('the list of storages', 'none', `a list of at most ${MAX_STORAGES} keys`);
  const storages = new Map<string, StoredEntry>();
  for (const key of keys as readonly Pickled[]) {
    const elementBytes = typeof key === 'string' ? sizes.get(key) : undefined;
    if (typeof key !== 'string' || elementBytes === undefined)
      throw refuse(
        typeof key === 'string' ? `storage ${key}` : 'the list of storages',
        'one without a type',
        'storages of the types that tensors of numbers have',
      );
    const head = await readRange(path, at, COUNT_BYTES);
    const count = Number(new DataView(head.buffer, head.byteOffset).getBigInt64(0, true));
    const begin = at + COUNT_BYTES;
    const length = count * elementBytes;
    if (!(count >= 0) || !(begin + length <= size))
      throw refuse(`storage ${key}`, `${count} elements at byte ${begin}`, `storages within ${size} bytes`);
    storages.set(key, { begin, bytes: length });
    at = begin + length;
  }
  return { said, storages };
}
