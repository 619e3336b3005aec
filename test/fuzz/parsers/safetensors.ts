import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { readSafetensors } from '../../../src/vit/safetensors.js';
import { damagedBytes } from '../generate/bytes.js';
import { awkwardNames, awkwardNumbers, damagedValue, textOf } from '../generate/json.js';
import { defineParser } from '../parser.js';

const header = {
  __metadata__: { format: 'pt' },
  a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
  b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
  c: { dtype: 'I64', shape: [], data_offsets: [32, 40] },
  d: { dtype: 'F8_E4M3', shape: [8], data_offsets: [40, 48] },
  e: { dtype: 'U8', shape: [0, 5], data_offsets: [48, 48] },
};

function file(headerText: string, claimed: bigint | undefined, dataBytes: number): Buffer {
  const json = Buffer.from(headerText);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(claimed ?? BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes, 1)]);
}

const dataBytes = fc.oneof({ weight: 4, arbitrary: fc.constant(48) }, { weight: 1, arbitrary: fc.nat(200) });
const claimed = fc.oneof(
  { weight: 8, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.bigInt(0n, 2n ** 64n - 1n) },
);

/** Tensors that follow each other, but for what goes wrong. */
const laidOut = fc
  .array(
    fc.record({
      name: fc.oneof(fc.constantFrom(...awkwardNames), fc.string({ maxLength: 4 })),
      dtype: fc.constantFrom('F32', 'F16', 'U8', 'BOOL', 'F64', 'F4', 'toString', '__proto__', 'constructor'),
      shape: fc.array(fc.oneof(fc.nat(4), fc.constantFrom(...awkwardNumbers)), { maxLength: 4 }),
      bytes: fc.nat(16),
      shift: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: -8, max: 8 })),
    }),
    { maxLength: 6 },
  )
  .map((tensors) => {
    const entries: string[] = [];
    let end = 0;
    for (const { name, dtype, shape, bytes, shift } of tensors) {
      const begin = end + shift;
      end = begin + bytes;
      entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [begin, end] })}`);
    }
    return file(`{${entries.join(',')}}`, undefined, Math.max(0, end));
  });

/** Safetensors files, their tensors read, and what is accepted held against the format: no holes, no overlaps, no tensor lost. */
export const safetensors = defineParser({
  name: 'safetensors',
  inputs: fc.oneof(
    {
      weight: 5,
      arbitrary: fc
        .tuple(damagedValue(header), claimed, dataBytes)
        .map(([value, length, bytes]) => file(textOf(value), length, bytes)),
    },
    { weight: 3, arbitrary: laidOut },
    { weight: 2, arbitrary: damagedBytes(file(JSON.stringify(header), undefined, 48)) },
  ),
  prepare: (folder) => {
    const path = join(folder, 'model.safetensors');
    return Promise.resolve(async (bytes: Buffer) => {
      await writeFile(path, bytes);
      const { tensors, unreadable } = await readSafetensors(path);
      for (const tensor of tensors.values()) await tensor.read();
      const length = Number(bytes.readBigUInt64LE());
      const entries = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<
        string,
        { readonly data_offsets: readonly [number, number] }
      >;
      const names = Object.keys(entries).filter((name) => name !== '__metadata__');
      if (names.length !== tensors.size + unreadable.size) throw new Error('a tensor was lost');
      const spans = names
        .map((name) => entries[name]!.data_offsets)
        .sort((a, b) => a[0] - b[0] || a[1] - b[1]);
      let end = 0;
      for (const [begin, next] of spans) {
        if (begin !== end) throw new Error(`accepted with a hole or an overlap at byte ${end}`);
        end = next;
      }
      if (8 + length + end !== bytes.length) throw new Error('accepted with bytes that belong to no tensor');
    });
  },
});
