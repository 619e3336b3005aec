import { create, toBinary } from '@bufbuild/protobuf';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { readModel } from '../../../src/onnx/file.js';
import type { OnnxModel } from '../../../src/onnx/model.js';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
} from '../../../src/onnx/schema/onnx_pb.js';
import { foreignGraph } from '../../../src/vit/onnx/graph.js';
import { imageInput } from '../../../src/vit/onnx/image-input.js';
import { refuseQuantised } from '../../../src/vit/onnx/number-formats.js';
import { unfused } from '../../../src/vit/onnx/unfused.js';
import { widened } from '../../../src/vit/onnx/widened.js';
import { damagedBytes } from '../generate/bytes.js';
import { awkwardNames } from '../generate/json.js';
import { defineParser, type Parser } from '../parser.js';

/** A model that has one of everything: attributes of each type, tensors inside in each way that there is. */
const everything = toBinary(
  ModelProtoSchema,
  create(ModelProtoSchema, {
    ...{ irVersion: 10n, producerName: 'fuzz', opsetImport: [{ domain: '', version: 17n }] },
    metadataProps: [{ key: 'a', value: 'b' }],
    graph: {
      name: 'g',
      input: [
        {
          name: 'x',
          type: {
            value: {
              case: 'tensorType',
              value: {
                elemType: 1,
                shape: {
                  dim: [
                    { value: { case: 'dimParam', value: 'batch' } },
                    ...[3n, 8n, 8n].map((value) => ({ value: { case: 'dimValue' as const, value } })),
                  ],
                },
              },
            },
          },
        },
      ],
      output: [{ name: 'y' }],
      initializer: [
        { name: 'raw', dataType: 1, dims: [2n, 2n], rawData: new Uint8Array(16) },
        { name: 'floats', dataType: 1, dims: [3n], floatData: [1, 2, 3] },
        { name: 'halves', dataType: 10, dims: [2n], int32Data: [1, 2] },
        { name: 'longs', dataType: 7, dims: [2n], int64Data: [-1n, 2n ** 40n] },
        { name: 'doubles', dataType: 11, dims: [1n], doubleData: [1.5] },
      ],
      node: [
        { opType: 'MatMul', name: 'm', input: ['x', 'raw'], output: ['z'] },
        {
          ...{ opType: 'Conv', name: 'n', input: ['z'], output: ['y'] },
          attribute: [
            { name: 'i', type: AttributeType.INT, i: 3n },
            { name: 'f', type: AttributeType.FLOAT, f: 0.5 },
            { name: 's', type: AttributeType.STRING, s: Buffer.from('text') },
            { name: 'is', type: AttributeType.INTS, ints: [1n, 2n] },
            { name: 'fs', type: AttributeType.FLOATS, floats: [1, 2] },
            { name: 't', type: AttributeType.TENSOR, t: { dataType: 1, dims: [1n], floatData: [1] } },
          ],
        },
      ],
    },
  }),
);

function varint(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt.asUintN(64, value); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** Protobuf from nothing: fields of any number and wire type, messages in each other. */
const wire: fc.Arbitrary<Uint8Array> = fc.letrec<{ message: Uint8Array; field: Uint8Array }>((tie) => ({
  message: fc
    .array(tie('field'), { maxLength: 8, depthIdentifier: 'wire' })
    .map((fields) => Uint8Array.from(Buffer.concat(fields))),
  field: fc
    .tuple(
      fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 24 }) }, fc.nat(2 ** 29 - 1)),
      fc.oneof(
        { depthSize: 'small', depthIdentifier: 'wire' },
        fc.bigInt(0n, 2n ** 64n - 1n).map((value) => ({ type: 0, bytes: Uint8Array.from(varint(value)) })),
        fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => ({ type: 1, bytes })),
        fc.uint8Array({ minLength: 4, maxLength: 4 }).map((bytes) => ({ type: 5, bytes })),
        fc.constantFrom(3, 4, 6, 7).map((type) => ({ type, bytes: new Uint8Array() })),
        fc
          .oneof(
            fc.uint8Array({ maxLength: 12 }),
            fc.string({ maxLength: 8 }).map((text) => Buffer.from(text)),
          )
          .map((bytes) => ({
            type: 2,
            bytes: Buffer.concat([Buffer.from(varint(BigInt(bytes.length))), bytes]),
          })),
        tie('message').map((bytes) => ({
          type: 2,
          bytes: Buffer.concat([Buffer.from(varint(BigInt(bytes.length))), bytes]),
        })),
      ),
    )
    .map(([number, { type, bytes }]) =>
      Uint8Array.from(Buffer.concat([Buffer.from(varint(BigInt(number * 8 + type))), bytes])),
    ),
})).message;

/** Many times the same small thing, which takes far more memory than it has bytes. */
const many = fc
  .tuple(
    fc.constantFrom([0x3a, 2, 0x0a, 0], [0x3a, 4, 0x2a, 2, 0x12, 0], [0x42, 0], [0x72, 0], [0xa2, 1, 0]),
    fc.integer({ min: 1, max: 200_000 }),
  )
  .map(([bytes, count]) => Buffer.concat(Array<Buffer>(count).fill(Buffer.from(bytes))));

async function recognise(path: string, model: OnnxModel): Promise<void> {
  for (const tensor of model.initializers.values()) await tensor.read();
  refuseQuantised(path, model);
  const wide = widened(model) ?? model;
  imageInput(foreignGraph(path, unfused(wide) ?? wide));
}

const location = fc.array(
  fc.tuple(
    fc.constantFrom('location', 'offset', 'length', 'checksum', '__proto__'),
    fc.oneof(
      fc.constantFrom(
        'model.data',
        '0',
        '8',
        '16',
        '-1',
        '1e3',
        '0x10',
        '9007199254740993',
        '..',
        './model.data',
      ),
      fc.constantFrom('NaN', ' 1', '18446744073709551616', 'model.onnx', ...awkwardNames),
      fc.string({ maxLength: 6 }),
    ),
  ),
  { maxLength: 5 },
);

/** ONNX files, and where they say that tensors lie in other files. */
export const onnx: readonly Parser[] = [
  defineParser({
    name: 'onnx',
    inputs: fc.oneof(
      { weight: 12, arbitrary: damagedBytes(everything) },
      { weight: 6, arbitrary: wire },
      { weight: 1, arbitrary: many },
    ),
    prepare: (folder) => {
      const path = join(folder, 'model.onnx');
      return Promise.resolve(async (bytes: Uint8Array) => {
        await writeFile(path, bytes);
        await recognise(path, await readModel(path));
      });
    },
  }),
  defineParser({
    name: 'onnx-external',
    inputs: fc.record({
      location,
      dims: fc.array(fc.oneof(fc.bigInt(0n, 8n), fc.constantFrom(-1n, 2n ** 31n, 2n ** 62n)), {
        maxLength: 3,
      }),
      dataType: fc.oneof(fc.constantFrom(1, 7, 10, 9), fc.nat(40)),
    }),
    prepare: async (folder) => {
      const path = join(folder, 'model.onnx');
      await writeFile(join(folder, 'model.data'), Buffer.alloc(64, 1));
      return async ({ location: entries, dims, dataType }) => {
        const externalData = entries.map(([key, value]) => ({ key, value }));
        const tensor = { name: 'w', dataType, dims, dataLocation: 1, externalData };
        const graph = { initializer: [tensor] };
        await writeFile(
          path,
          toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion: 10n, graph })),
        );
        await recognise(path, await readModel(path));
      };
    },
  }),
];
