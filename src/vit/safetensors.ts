import { open } from 'node:fs/promises';
import { z } from 'zod';
import { firstLine, foundBy, InputError, messageOf } from '../base/errors.js';
import { repeatedKey } from '../base/repeated-key.js';
import { show } from '../base/schema.js';
import { bytesPerElement, type DType } from '../onnx/dtype.js';
import { readRange } from '../base/read-range.js';
import { elementCount, type TensorSource } from '../onnx/tensor.js';

/** Headers beyond this are refused before they are read; the reference implementation has the same limit. */
const MAX_HEADER_BYTES = 100_000_000;

const dtypes: ReadonlyMap<string, DType> = new Map([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['U8', 'uint8'],
  ['I8', 'int8'],
  ['U16', 'uint16'],
  ['I16', 'int16'],
  ['I32', 'int32'],
  ['I64', 'int64'],
  ['BOOL', 'bool'],
]);

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

const metadataSchema = z.record(z.string(), z.string());

/** What a safetensors file holds. */
export interface Safetensors {
  /** The tensors by name, in the file's order. */
  readonly tensors: Map<string, TensorSource>;
  /** The types of tensors that cannot be read, by name: `F8_E4M3`. */
  readonly unreadable: ReadonlyMap<string, string>;
}

/**
 * Opens a safetensors file. Only the header is read; each tensor is read by range when asked for.
 *
 * @param path - the file
 * @throws InputError when the header is not what the format says: a JSON object of tensors that differ in name and together take
 *   all bytes behind it, without overlaps, holes or anything left over
 */
export async function readSafetensors(path: string): Promise<Safetensors> {
  const refuse = (place: string, found: string, expected: string): InputError =>
    new InputError({ source: path, place, found, expected });
  const file = await open(path, 'r').catch((error: unknown) => {
    throw new InputError({ source: path, found: foundBy(error), expected: 'a safetensors file' });
  });
  const fileBytes = (await file.stat()).size;
  await file.close();
  if (fileBytes < 8)
    throw refuse('header', `${fileBytes} bytes`, 'at least the 8 bytes of the header length');
  const lengthBytes = await readRange(path, 0, 8);
  const headerBytes = Number(new DataView(lengthBytes.buffer).getBigUint64(0, true));
  if (headerBytes > MAX_HEADER_BYTES || headerBytes > fileBytes - 8)
    throw refuse(
      'header length',
      `${headerBytes} bytes`,
      `at most the ${fileBytes - 8} bytes that follow in the file (and ${MAX_HEADER_BYTES})`,
    );
  const header = parseHeader(await readRange(path, 8, headerBytes), refuse);
  const dataStart = 8 + headerBytes;
  const dataBytes = fileBytes - dataStart;

  const tensors = new Map<string, TensorSource>();
  const unreadable = new Map<string, string>();
  const spans: { name: string; begin: number; end: number }[] = [];
  for (const [name, raw] of Object.entries(header)) {
    if (name === '__metadata__') {
      if (!metadataSchema.safeParse(raw).success)
        throw refuse('__metadata__', show(raw), 'an object of texts');
      continue;
    }
    const parsed = entrySchema.safeParse(raw);
    if (!parsed.success)
      throw refuse(`tensor ${name}`, show(raw), 'an entry of dtype, shape and two data_offsets');
    const { dtype: code, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    if (end < begin || end > dataBytes)
      throw refuse(
        `tensor ${name}`,
        `data_offsets [${begin}, ${end}]`,
        `offsets within the ${dataBytes} bytes of data in the file`,
      );
    spans.push({ name, begin, end });
    const dtype = dtypes.get(code);
    if (dtype === undefined) {
      unreadable.set(name, code);
      continue;
    }
    const wanted = elementCount(shape) * bytesPerElement(dtype);
    if (end - begin !== wanted)
      throw refuse(
        `tensor ${name}`,
        `data_offsets [${begin}, ${end}], ${end - begin} bytes`,
        `${wanted} bytes for ${code}[${shape.join(', ')}]`,
      );
    tensors.set(name, { dtype, dims: shape, read: () => readRange(path, dataStart + begin, wanted) });
  }
  refuseGaps(spans, dataBytes, refuse);
  return { tensors, unreadable };
}

/** Refuses tensors that overlap, and bytes that belong to none: the format allows neither. */
function refuseGaps(
  spans: { readonly name: string; readonly begin: number; readonly end: number }[],
  dataBytes: number,
  refuse: (place: string, found: string, expected: string) => InputError,
): void {
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let last = { name: 'the header', end: 0 };
  for (const span of spans) {
    if (span.begin < last.end)
      throw refuse(
        `tensor ${span.name}`,
        `bytes that tensor ${last.name} also claims`,
        'tensors that do not overlap',
      );
    if (span.begin > last.end)
      throw refuse(
        `tensor ${span.name}`,
        `${span.begin - last.end} bytes between ${last.name} and it that belong to no tensor`,
        'tensors without holes between them',
      );
    last = span;
  }
  if (last.end !== dataBytes)
    throw refuse(
      'the end of the file',
      `${dataBytes - last.end} bytes that belong to no tensor`,
      'nothing behind the last tensor',
    );
}

function parseHeader(
  bytes: Uint8Array,
  refuse: (place: string, found: string, expected: string) => InputError,
): Record<string, unknown> {
  let text: string;
  let header: unknown;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    header = JSON.parse(text);
  } catch (error) {
    throw refuse('header', firstLine(messageOf(error)), 'a JSON object');
  }
  if (header === null || typeof header !== 'object' || Array.isArray(header))
    throw refuse('header', show(header), 'a JSON object');
  const repeated = repeatedKey(text);
  if (repeated !== undefined)
    throw refuse(`tensor ${repeated}`, 'two entries of this name', 'names that differ');
  // Not copied: a copy would lose a tensor called __proto__.
  return header as Record<string, unknown>;
}
