import { isKind, type Pickled } from '../../base/unpickle.js';
import type { DType } from '../../onnx/dtype.js';

/** Element types by the class of a tensor's storage. */
const TYPES: ReadonlyMap<string, DType> = new Map<string, DType>([
  ['FloatStorage', 'float32'],
  ['HalfStorage', 'float16'],
  ['BFloat16Storage', 'bfloat16'],
  ['DoubleStorage', 'float64'],
  ['LongStorage', 'int64'],
  ['IntStorage', 'int32'],
  ['ShortStorage', 'int16'],
  ['CharStorage', 'int8'],
  ['ByteStorage', 'uint8'],
  ['BoolStorage', 'bool'],
]);

/** The bytes of one tensor or of several, as a pickle speaks of them. */
export interface Storage {
  /** The class, without `torch.`. */
  readonly type: string;
  /** Undefined for a class whose numbers are not read. */
  readonly dtype: DType | undefined;
  readonly key: string;
}

/**
 * What the persistent id of a storage says: `('storage', class, key, device, elements)`.
 *
 * @param id - as the pickle has it
 * @returns undefined for anything else, and for a view of a storage, which PyTorch before 0.4 wrote
 */
export function storageOf(id: Pickled): Storage | undefined {
  if (!Array.isArray(id)) return undefined;
  const [kind, type, key, , , view] = id as readonly Pickled[];
  if (kind !== 'storage' || type === undefined || !isKind(type, 'global') || typeof key !== 'string')
    return undefined;
  if (Array.isArray(view)) return undefined;
  const name = type.name.replace(/^torch\./, '');
  return { type: name, dtype: TYPES.get(name), key };
}
