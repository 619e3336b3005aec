import { open } from 'node:fs/promises';
import { z } from 'zod';
import { foundBy, InputError, messageOf } from '../base/errors.js';
import { bytesPerElement, type DType } from '../onnx/dtype.js';
import { readRange } from '../onnx/file.js';
import { elementCount, type TensorSource } from '../onnx/tensor.js';

/** Headers beyond this are refused before they are read; the reference implementation has the same limit. */
const MAX_HEADER_BYTES = 100_000_000;

const dtypes: Partial<Record<string, DType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  U8: 'uint8',
  I8: 'int8',
  I32: 'int32',
  I64: 'int64',
};

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});

/**
 * Opens a safetensors file. Only the header is read; each tensor is read by range when asked for.
 *
 * @param path - the file
 * @returns the tensors by name, in the file's order
 * @throws InputError when the header is not what the format says, or promises what the file does not hold
 */
export async function readSafetensors(path: string): Promise<Map<string, TensorSource>> {
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
  const spans: { name: string; begin: number; end: number }[] = [];
  for (const [name, raw] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const parsed = entrySchema.safeParse(raw);
    if (!parsed.success)
      throw refuse(`tensor ${name}`, JSON.stringify(raw), 'an entry of dtype, shape and two data_offsets');
    const { dtype: code, shape, data_offsets } = parsed.data;
    const [begin, end] = data_offsets;
    const dtype = dtypes[code];
    if (dtype === undefined)
      throw refuse(`tensor ${name}`, `dtype ${code}`, `one of ${Object.keys(dtypes).join(', ')}`);
    const wanted = elementCount(shape) * bytesPerElement(dtype);
    if (end - begin !== wanted)
      throw refuse(
        `tensor ${name}`,
        `data_offsets [${begin}, ${end}], ${end - begin} bytes`,
        `${wanted} bytes for ${code}[${shape.join(', ')}]`,
      );
    if (end > dataBytes)
      throw refuse(
        `tensor ${name}`,
        `data_offsets [${begin}, ${end}]`,
        `offsets within the ${dataBytes} bytes of data in the file`,
      );
    spans.push({ name, begin, end });
    tensors.set(name, { dtype, dims: shape, read: () => readRange(path, dataStart + begin, wanted) });
  }
  spans.sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (let i = 1; i < spans.length; i++)
    if (spans[i]!.begin < spans[i - 1]!.end)
      throw refuse(
        `tensor ${spans[i]!.name}`,
        `bytes that tensor ${spans[i - 1]!.name} also claims`,
        'tensors that do not overlap',
      );
  return tensors;
}

function parseHeader(
  bytes: Uint8Array,
  refuse: (place: string, found: string, expected: string) => InputError,
): Record<string, unknown> {
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return z.record(z.string(), z.unknown()).parse(header);
  } catch (error) {
    throw refuse('header', messageOf(error).split('\n')[0]!, 'a JSON object');
  }
}
