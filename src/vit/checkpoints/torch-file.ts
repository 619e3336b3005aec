import { InputError } from '../../base/errors.js';
import { readRange } from '../../base/read-range.js';
import {
  asDict,
  isKind,
  unpickle,
  UnpickleError,
  type Pickled,
  type PickledDict,
} from '../../base/unpickle.js';
import { bytesPerElement } from '../../onnx/dtype.js';
import { elementCount, type TensorSource } from '../../onnx/tensor.js';
import type { Safetensors } from '../safetensors.js';
import { otherPickle } from './pickle.js';
import { storageOf, type Storage } from './torch-storage.js';
import { readTorchStream, type Saved } from './torch-stream.js';
import { storedEntries, type StoredEntry } from './zip.js';

/** A pickle beyond this holds more than names and shapes. */
const MAX_PICKLE_BYTES = 64 * 2 ** 20;

/** Where training scripts put the weights beside other things. */
const WITHIN = ['model', 'state_dict', 'model_state_dict', 'module', 'net', 'teacher', 'model_ema'];

/**
 * Opens what `torch.save` wrote: an archive of a pickle and of the tensors' bytes, or (before PyTorch 1.6) pickles with the bytes behind them.
 * Pickles are read, not run: no class that they name is made and nothing that they ask for is called; of them the names, shapes and
 * places of tensors are taken. Tensors are read by range when they are asked for.
 *
 * @param path - the file
 * @throws InputError when it is neither, is damaged, or holds no tensors under names
 */
export async function readTorchFile(path: string): Promise<Safetensors> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const saved = (await readArchive(path, refuse)) ?? (await readTorchStream(path));
  if (saved === undefined) throw otherPickle(path);
  const dict = weightsIn(saved.said, refuse);
  const tensors = new Map<string, TensorSource>();
  const unreadable = new Map<string, string>();
  for (const [name, value] of dict.entries) {
    const tensor = tensorOf(value);
    if (tensor === undefined) {
      if (!(typeof value === 'number' || value === null)) unreadable.set(name, 'no tensor');
      continue;
    }
    const { storage, offset, shape, strides } = tensor;
    const { dtype } = storage;
    if (dtype === undefined) {
      unreadable.set(name, storage.type);
      continue;
    }
    const entry = saved.storages.get(storage.key);
    const size = bytesPerElement(dtype);
    const last = shape.includes(0)
      ? -1
      : shape.reduce((sum, dim, i) => sum + (dim - 1) * (strides[i] ?? NaN), offset);
    if (entry === undefined || !(last < entry.bytes / size) || strides.length !== shape.length)
      throw refuse(
        `tensor ${name}`,
        entry === undefined
          ? `no storage ${storage.key}`
          : `shape [${shape.join(', ')}] in ${entry.bytes} bytes`,
        'a tensor within the bytes that are stored for it',
      );
    tensors.set(name, {
      dtype,
      dims: shape,
      read: async () => readStrided(path, entry.begin, size, { offset, shape, strides }),
    });
  }
  return { tensors, unreadable };
}

/** What an archive says; undefined where the file is none. */
async function readArchive(path: string, refuse: Refuse): Promise<Saved | undefined> {
  const entries = await storedEntries(path);
  if (entries === undefined) return undefined;
  const pickle = [...entries.keys()].find((name) => /^[^/]+\/data\.pkl$/.test(name));
  const place = pickle === undefined ? undefined : entries.get(pickle);
  if (pickle === undefined || place === undefined)
    throw refuse(
      'the archive',
      `no data.pkl (${[...entries.keys()].slice(0, 3).join(', ')})`,
      "PyTorch's own archive",
    );
  if (place.bytes > MAX_PICKLE_BYTES)
    throw refuse(pickle, `${place.bytes} bytes`, `at most ${MAX_PICKLE_BYTES}: names and shapes of tensors`);
  const root = pickle.slice(0, -'data.pkl'.length);
  await refuseBigEndian(path, entries.get(`${root}byteorder`), refuse);
  const data = `${root}data/`;
  const storages = [...entries].filter(([name]) => name.startsWith(data));
  return {
    said: await said(path, pickle, place),
    storages: new Map(storages.map(([name, entry]) => [name.slice(data.length), entry])),
  };
}

type Refuse = (place: string, found: string, expected: string) => InputError;

async function refuseBigEndian(path: string, entry: StoredEntry | undefined, refuse: Refuse): Promise<void> {
  if (entry === undefined || entry.bytes > 16) return;
  const order = new TextDecoder().decode(await readRange(path, entry.begin, entry.bytes));
  if (order !== 'little') throw refuse('byteorder', order, 'little');
}

async function said(path: string, name: string, { begin, bytes }: StoredEntry): Promise<Pickled> {
  try {
    return unpickle(await readRange(path, begin, bytes));
  } catch (error) {
    if (!(error instanceof UnpickleError)) throw error;
    throw new InputError({
      source: path,
      place: name,
      found: error.message,
      expected: 'names and shapes of tensors, as torch.save writes them',
    });
  }
}

/** The dictionary of tensors: the whole, or what lies under the name that training scripts give it. */
function weightsIn(whole: Pickled, refuse: Refuse): PickledDict {
  const dict = asDict(whole);
  const tensorsIn = (value: Pickled | undefined): number =>
    [...(asDict(value)?.entries.values() ?? [])].filter((each) => tensorOf(each) !== undefined).length;
  const own = tensorsIn(dict);
  // Beside the weights there may be a tensor or two of what training keeps: the best score, a generator's state.
  const within = [...(dict?.entries ?? [])].filter(([, value]) => tensorsIn(value) > own);
  const named = WITHIN.map((name) => within.find(([key]) => key === name)).find(
    (found) => found !== undefined,
  );
  const chosen = asDict((named ?? (own === 0 && within.length === 1 ? within[0] : undefined))?.[1]);
  if (chosen !== undefined) return chosen;
  if (dict !== undefined && own > 0) return dict;
  const found = within.map(([name]) => name).join(', ');
  throw refuse(
    'what was saved',
    found === '' ? 'no tensors under names' : `tensors under ${found}`,
    `a state_dict, or one under ${WITHIN.join(', ')}`,
  );
}

/** A tensor as a pickle describes it. */
interface PickledTensor {
  readonly storage: Storage;
  /** In elements. */
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** A tensor, or a parameter, which is a tensor that is trained; undefined for anything else. */
function tensorOf(value: Pickled): PickledTensor | undefined {
  const [inner] = argumentsOf(value, 'torch._utils._rebuild_parameter') ?? [];
  const rebuilt =
    argumentsOf(inner ?? value, 'torch._utils._rebuild_tensor_v2') ??
    argumentsOf(inner ?? value, 'torch._utils._rebuild_tensor');
  if (rebuilt === undefined) return undefined;
  const [first, offset, shape, strides] = rebuilt;
  const storage = first !== undefined && isKind(first, 'stored') ? storageOf(first.id) : undefined;
  if (storage === undefined || !isCount(offset) || !isCounts(shape) || !isCounts(strides)) return undefined;
  return { storage, offset, shape, strides };
}

/** What a function is to be called with; undefined for anything but a call of it. */
function argumentsOf(value: Pickled, name: string): readonly Pickled[] | undefined {
  if (!isKind(value, 'call') || !isKind(value.of, 'global') || value.of.name !== name) return undefined;
  return isList(value.with) ? value.with : undefined;
}

const isList = (value: Pickled): value is readonly Pickled[] => Array.isArray(value);
const isCount = (value: Pickled | undefined): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isCounts = (value: Pickled | undefined): value is readonly number[] =>
  value !== undefined && isList(value) && value.every(isCount);

/** The elements of a tensor in the order of its shape, wherever they lie. */
async function readStrided(
  path: string,
  begin: number,
  size: number,
  { offset, shape, strides }: Omit<PickledTensor, 'storage'>,
): Promise<Uint8Array> {
  const count = elementCount(shape);
  if (count === 0) return new Uint8Array();
  let expected = 1;
  const whole = [...shape.keys()].reverse().every((axis) => {
    const dim = shape[axis] ?? 1;
    const right = dim === 1 || strides[axis] === expected;
    expected *= dim;
    return right;
  });
  if (whole) return readRange(path, begin + offset * size, count * size);
  const span = shape.reduce((sum, dim, axis) => sum + (dim - 1) * (strides[axis] ?? 0), 1);
  const from = await readRange(path, begin + offset * size, span * size);
  const to = new Uint8Array(count * size);
  const index = shape.map(() => 0);
  for (let element = 0; element < count; element++) {
    const at = index.reduce((sum, each, axis) => sum + each * (strides[axis] ?? 0), 0);
    to.set(from.subarray(at * size, (at + 1) * size), element * size);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      index[axis] = next < (shape[axis] ?? 0) ? next : 0;
      if (index[axis] !== 0) break;
    }
  }
  return to;
}
