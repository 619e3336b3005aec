/** Why bytes are no array of NumPy, or none that is read. */
export class NpyError extends Error {
  constructor(
    readonly found: string,
    readonly expected: string,
  ) {
    super(`found ${found}; expected ${expected}`);
  }
}

/** The values of an array, row by row. */
export type NpyValues =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | readonly string[];

/** An array, as NumPy stores it. */
export interface NpyArray {
  readonly dims: readonly number[];
  /** NumPy's name of the type of its values, without the order of bytes: `u1`, `i8`, `f4`, `U12`. */
  readonly type: string;
  readonly values: NpyValues;
}

const types = {
  b1: Uint8Array,
  u1: Uint8Array,
  i1: Int8Array,
  u2: Uint16Array,
  i2: Int16Array,
  u4: Uint32Array,
  i4: Int32Array,
  i8: BigInt64Array,
  u8: BigUint64Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const WHOLE = 'an array as numpy.save writes it';

/** A longer header describes records, not values. */
const MAX_HEADER = 2 ** 16;

/** What an array says of itself. */
interface Header {
  readonly type: string;
  readonly bigEndian: boolean;
  readonly byColumns: boolean;
  readonly dims: readonly number[];
  /** The first byte of the values. */
  readonly begin: number;
}

/**
 * Reads an array as `numpy.save` writes it (NEP 1): numbers and texts of one size, in either order of bytes, row by row or column by
 * column.
 *
 * @param bytes - the file
 * @throws NpyError when it is none, is truncated, or holds objects, records or numbers of another kind
 */
export function readNpy(bytes: Uint8Array): NpyArray {
  const header = headerOf(bytes);
  const { dims, begin, type } = header;
  const text = /^([US])(\d{1,6})$/.exec(type);
  if (!text && !Object.hasOwn(types, type))
    throw new NpyError(kindOf(type), 'whole numbers, floats or texts');
  const size = text ? Number(text[2]) * (text[1] === 'U' ? 4 : 1) : Number(type.slice(1));
  const count = dims.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count) || bytes.length - begin !== count * size)
    throw new NpyError(`${bytes.length - begin} bytes for the shape (${dims.join(', ')})`, `${count * size}`);
  // A copy: values begin at a multiple of their size, and the order of bytes is changed in place.
  const body = new Uint8Array(bytes.subarray(begin));
  const unit = text ? (text[1] === 'U' ? 4 : 1) : size;
  if (header.bigEndian && unit > 1) reverse(body, unit);
  const inOrder = header.byColumns && dims.length > 1 ? byRows(body, dims, size) : body;
  const { buffer } = inOrder;
  const values = text
    ? textsIn(inOrder, size, text[1] === 'U')
    : new types[type as keyof typeof types](buffer);
  return { dims, type, values };
}

function headerOf(bytes: Uint8Array): Header {
  if (MAGIC.some((byte, index) => bytes[index] !== byte))
    throw new NpyError('something other than a NumPy array', WHOLE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 0) >= 2;
  const start = wide ? 12 : 10;
  if (bytes.length < start) throw new NpyError('an array that ends within its header', WHOLE);
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const begin = start + length;
  if (begin > bytes.length || length > MAX_HEADER)
    throw new NpyError(`a header of ${length} bytes in ${bytes.length}`, WHOLE);
  const header = Buffer.from(bytes.subarray(start, begin)).toString('latin1');
  const descr = /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header);
  const shape = /'shape':\s*\(([\d\s,]*)\)/.exec(header);
  if (!descr || !order || !shape)
    throw new NpyError(
      /'descr':\s*\[/.test(header) ? 'records of several fields' : 'a header that is not understood',
      WHOLE,
    );
  const [, endian = '', type = ''] = descr;
  const dims = (shape[1] ?? '').split(',').flatMap((dim) => (dim.trim() === '' ? [] : [Number(dim)]));
  return { type, bigEndian: endian === '>', byColumns: order[1] === 'True', dims, begin };
}

/** What a type of values is that is not read. */
function kindOf(type: string): string {
  const kinds: Readonly<Record<string, string>> = {
    O: 'objects of Python (pickled)',
    c: 'complex numbers',
    V: 'records',
    M: 'dates and times',
    m: 'time spans',
  };
  return kinds[type.charAt(0)] ?? `values of the type ${type}`;
}

/** Reverses the bytes of each unit, in place. */
function reverse(bytes: Uint8Array, unit: number): void {
  for (let at = 0; at < bytes.length; at += unit) bytes.subarray(at, at + unit).reverse();
}

/** Values that lie column by column (the first axis changes fastest) row by row. */
function byRows(bytes: Uint8Array, dims: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(bytes.length);
  const steps = dims.map((_, axis) => dims.slice(0, axis).reduce((product, dim) => product * dim, 1));
  const index = dims.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to += size) {
    out.set(bytes.subarray(from * size, (from + 1) * size), to);
    for (let axis = dims.length - 1; axis >= 0; axis--) {
      const [step = 1, dim = 1] = [steps[axis], dims[axis]];
      const next = (index[axis] ?? 0) + 1;
      from += step;
      index[axis] = next;
      if (next < dim) break;
      from -= step * dim;
      index[axis] = 0;
    }
  }
  return out;
}

/** Texts of one size, padded with zeros: four bytes a character, or bytes of UTF-8. */
function textsIn(bytes: Uint8Array, size: number, wide: boolean): string[] {
  const texts: string[] = [];
  for (let at = 0; size > 0 && at < bytes.length; at += size) {
    const own = bytes.subarray(at, at + size);
    texts.push((wide ? wideText(own) : utf8(own)).replace(/\0+$/, ''));
  }
  return texts;
}

function wideText(bytes: Uint8Array): string {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let text = '';
  for (let place = 0; place < bytes.length; place += 4) {
    const code = view.getUint32(place, true);
    if (code > 0x10ffff) throw new NpyError(`the character ${code}`, 'texts of Unicode');
    text += String.fromCodePoint(code);
  }
  return text;
}

function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new NpyError('bytes that are not UTF-8', 'text in UTF-8');
  }
}
