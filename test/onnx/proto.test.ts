import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { bytesPerElement, dtypeCode, type DType } from '../../src/onnx/dtype.js';
import type { Attribute, OnnxModel } from '../../src/onnx/model.js';
import { decodeModel, encodeModel } from '../../src/onnx/proto.js';
import {
  AttributeProto_AttributeType as AttributeType,
  ModelProtoSchema,
  TensorProto_DataType as DataType,
} from '../../src/onnx/schema/onnx_pb.js';
import { float32, tensorOf, viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { encoded, encodedModel, encodedTensor, linearModel, type TensorFields } from '../support/models.js';

const dtypes: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'bool',
];

function decoded(bytes: Uint8Array): OnnxModel {
  return decodeModel(bytes, () => {
    throw new Error('nothing lies outside');
  });
}

async function written(model: OnnxModel): Promise<Uint8Array> {
  const place = new Map<string, Uint8Array>();
  for (const [name, tensor] of model.initializers) place.set(name, await tensor.read());
  return encodeModel(model, place);
}

/** A model that uses everything a model can hold. */
function everything(): OnnxModel {
  const attributes: Record<string, Attribute> = {
    int: { type: 'int', value: -(2 ** 52) },
    zero: { type: 'int', value: 0 },
    float: { type: 'float', value: Math.fround(1e-6) },
    string: { type: 'string', value: 'größer als 1 €' },
    ints: { type: 'ints', value: [0, -1, 2 ** 40] },
    floats: { type: 'floats', value: [0.5, -Infinity, Math.fround(0.1)] },
    strings: { type: 'strings', value: ['', 'a', 'é'] },
    noInts: { type: 'ints', value: [] },
  };
  const initializers = new Map<string, TensorSource>();
  for (const dtype of dtypes) {
    const bytes = Uint8Array.from({ length: 6 * bytesPerElement(dtype) }, (_, i) =>
      dtype === 'bool' ? i % 2 : 251 * i,
    );
    initializers.set(dtype, { dtype, dims: [2, 3], read: () => Promise.resolve(bytes) });
  }
  initializers.set('scalar', float32([], [1.5]));
  initializers.set('empty', float32([0, 4], []));
  return {
    name: 'everything',
    irVersion: 11,
    opsets: { '': 23, 'com.microsoft': 1 },
    inputs: dtypes.map((dtype) => ({ name: `in:${dtype}`, dtype, dims: ['batch', 3, '2*batch'] })),
    outputs: [
      { name: 'out', dtype: 'float32', dims: [1, '?', 'tokens', 0] },
      { name: 'scalarOut', dtype: 'int64', dims: [] },
    ],
    nodes: [
      {
        name: 'first',
        opType: 'Op',
        domain: 'com.microsoft',
        inputs: ['a', '', 'b'],
        outputs: ['', 'c'],
        attributes,
      },
      { name: '', opType: 'Abs', domain: '', inputs: ['c'], outputs: ['out'], attributes: {} },
    ],
    initializers,
    values: [],
    metadata: { recipe: '[{"stage":"prune"}]', empty: '' },
  };
}

describe('encodeModel and decodeModel', () => {
  test('give back a model with every attribute type, every element type and every kind of dimension', async () => {
    const model = everything();
    const again = decoded(await written(model));
    const { initializers, ...rest } = model;
    const { initializers: tensors, ...restAgain } = again;
    expect(restAgain).toEqual(rest);
    expect([...tensors.keys()]).toEqual([...initializers.keys()]);
    for (const [name, tensor] of initializers) {
      const found = tensors.get(name)!;
      expect({ name, dtype: found.dtype, dims: found.dims }).toEqual({
        name,
        dtype: tensor.dtype,
        dims: tensor.dims,
      });
      expect(await found.read()).toEqual(await tensor.read());
    }
  });

  test('leave types and shapes of intermediate values out of the file', async () => {
    const model = linearModel(new Float32Array(8), new Float32Array(2));
    expect(model.values).toHaveLength(1);
    expect(decoded(await written(model)).values).toEqual([]);
  });

  test('refuse to write a constant without a place, and one as an attribute', () => {
    const model = everything();
    expect(() => encodeModel(model, new Map())).toThrow('float32');
    const attribute: Attribute = { type: 'tensor', value: float32([], [1]) };
    const node = { ...model.nodes[0]!, attributes: { value: attribute } };
    expect(() => encodeModel({ ...model, nodes: [node], initializers: new Map() }, new Map())).toThrow(
      'value',
    );
  });
});

describe('decodeModel of what others wrote', () => {
  async function elements(tensor: TensorFields): Promise<{ tensor: TensorSource; bytes: Uint8Array }> {
    const read = decoded(encodedTensor(tensor)).initializers.get('w')!;
    return { tensor: read, bytes: await read.read() };
  }

  test('reads the fields that hold elements of each family', async () => {
    const floats = await elements({ dataType: DataType.FLOAT, dims: [2n], floatData: [1.5, -2] });
    expect(viewAs(floats.bytes, Float32Array)).toEqual(Float32Array.of(1.5, -2));
    const doubles = await elements({ dataType: DataType.DOUBLE, dims: [1n], doubleData: [1 / 3] });
    expect(viewAs(doubles.bytes, Float64Array)).toEqual(Float64Array.of(1 / 3));
    const ints = await elements({ dataType: DataType.INT32, dims: [2n], int32Data: [-5, 2 ** 31 - 1] });
    expect(viewAs(ints.bytes, Int32Array)).toEqual(Int32Array.of(-5, 2 ** 31 - 1));
    const bytes = await elements({ dataType: DataType.INT8, dims: [3n], int32Data: [-128, -1, 127] });
    expect(viewAs(bytes.bytes, Int8Array)).toEqual(Int8Array.of(-128, -1, 127));
    const unsigned = await elements({ dataType: DataType.UINT8, dims: [2n], int32Data: [0, 255] });
    expect(unsigned.bytes).toEqual(Uint8Array.of(0, 255));
    const short = await elements({ dataType: DataType.INT16, dims: [2n], int32Data: [-2, 300] });
    expect(viewAs(short.bytes, Int16Array)).toEqual(Int16Array.of(-2, 300));
    const halves = await elements({ dataType: DataType.FLOAT16, dims: [2n], int32Data: [0x3c00, 0xfc00] });
    expect(viewAs(halves.bytes, Uint16Array)).toEqual(Uint16Array.of(0x3c00, 0xfc00));
    const truths = await elements({ dataType: DataType.BOOL, dims: [2n], int32Data: [1, 0] });
    expect(truths.bytes).toEqual(Uint8Array.of(1, 0));
  });

  test('keeps all 64 bits of an integer, such as the largest, which stands for "to the end"', async () => {
    const largest = 0x7fffffffffffffffn;
    const raw = new Uint8Array(BigInt64Array.of(largest, -3n, 2n ** 53n + 1n).buffer);
    const inRawData = await elements({ dataType: DataType.INT64, dims: [3n], rawData: raw });
    // The varints of the same numbers in the field int64_data (7, packed).
    const varint = (value: bigint): number[] => {
      const bytes: number[] = [];
      for (let left = BigInt.asUintN(64, value); ; left >>= 7n) {
        if (left < 128n) return [...bytes, Number(left)];
        bytes.push(Number(left & 127n) | 128);
      }
    };
    const packed = [largest, -3n, 2n ** 53n + 1n].flatMap(varint);
    const tensor = [0x08, 3, 0x10, DataType.INT64, 0x3a, packed.length, ...packed, 0x42, 1, 0x77];
    const graph = [0x2a, tensor.length, ...tensor];
    const bytes = Uint8Array.of(0x3a, graph.length, ...graph, 0x42, 2, 0x10, 23);
    const read = decoded(bytes).initializers.get('w')!;
    expect(read.dims).toEqual([3]);
    expect([...viewAs(await read.read(), BigInt64Array)]).toEqual([largest, -3n, 2n ** 53n + 1n]);
    expect(await read.read()).toEqual(inRawData.bytes);
  });

  test('reads tensors in attributes, and ai.onnx as the standard domain', async () => {
    const value = { dataType: DataType.FLOAT, dims: [1n], floatData: [7] };
    const attribute = [{ name: 'value', type: AttributeType.TENSOR, t: value }];
    const opsetImport = [{ domain: 'ai.onnx', version: 21n }];
    const graph = { node: [{ opType: 'Constant', domain: 'ai.onnx', output: ['c'], attribute }] };
    const model = decoded(encoded({ irVersion: 9n, opsetImport, graph }));
    expect(model.opsets).toEqual({ '': 21 });
    expect(model.irVersion).toBe(9);
    expect(model.nodes[0]!.domain).toBe('');
    const read = model.nodes[0]!.attributes['value']!;
    if (read.type !== 'tensor') throw new Error('no tensor');
    expect(viewAs(await read.value.read(), Float32Array)).toEqual(Float32Array.of(7));
  });

  test.each<[string, TensorFields, RegExp]>([
    [
      'raw bytes that are too few for the shape',
      { dataType: 1, dims: [2n, 3n], rawData: new Uint8Array(20) },
      /20.*24/,
    ],
    ['raw bytes that are too many', { dataType: 1, dims: [2n], rawData: new Uint8Array(12) }, /12.*8/],
    ['elements that are too few', { dataType: 1, dims: [3n], floatData: [1, 2] }, /8.*12/],
    ['no elements at all', { dataType: 1, dims: [3n] }, /0 bytes.*12/],
    ['a negative shape', { dataType: 1, dims: [-2n, -2n], rawData: new Uint8Array(16) }, /-2,-2/],
    ['an element type that EdgeFlex does not know', { dataType: DataType.STRING, dims: [1n] }, /type 8/],
    ['no element type', { dims: [1n], rawData: new Uint8Array(4) }, /type 0/],
  ])('refuses a tensor with %s', (_what, tensor, message) => {
    expect(() => decoded(encodedTensor(tensor))).toThrow(message);
    expect(() => decoded(encodedTensor(tensor))).toThrow('tensor w');
  });

  test('refuses subgraphs and values that are no tensors', () => {
    const attribute = [{ name: 'then_branch', type: AttributeType.GRAPH, g: {} }];
    expect(() => decoded(encodedModel({ node: [{ opType: 'If', attribute }] }))).toThrow('then_branch');
    const value = { case: 'sequenceType', value: {} } as const;
    expect(() => decoded(encodedModel({ input: [{ name: 'list', type: { value } }] }))).toThrow('list');
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['a sparse constant', encodedModel({ sparseInitializer: [{ values: { name: 'holes' } }] }), /holes/],
    [
      "a function of the model's own",
      encoded({
        opsetImport: [{ domain: '', version: 23n }],
        functions: [{ domain: 'local', name: 'Square' }],
        graph: { node: [{ name: 'n7', domain: 'local', opType: 'Square' }] },
      }),
      /n7.*Square/,
    ],
    [
      'an attribute that stands for one of a function',
      encodedModel({ node: [{ name: 'n7', attribute: [{ name: 'axis', refAttrName: 'outer' }] }] }),
      /n7.*axis.*outer/,
    ],
    ['two constants of one name', encodedModel({ initializer: [{ name: 'w' }, { name: 'w' }] }), /w twice/],
    [
      'two values of one attribute',
      encodedModel({ node: [{ name: 'n7', attribute: [{ name: 'axis' }, { name: 'axis' }] }] }),
      /n7.*axis twice/,
    ],
    ['a part of a tensor', encodedTensor({ dataType: 1, dims: [1n], segment: { begin: 0n } }), /tensor w/],
    // Field 99 of the model, a varint.
    [
      'a field that this release of ONNX does not define',
      Uint8Array.of(...encodedModel({}), 0x98, 0x06, 1),
      /field 99 of onnx.ModelProto/,
    ],
    [
      'an integer that a number does not hold',
      encodedModel({
        node: [{ attribute: [{ name: 'k', type: AttributeType.INT, i: 2n ** 53n + 1n }] }],
      }),
      /k.*9007199254740993/,
    ],
    [
      'a shape of more bytes than can be counted',
      encodedTensor({ dataType: 1, dims: [2n ** 40n, 2n ** 40n] }),
      /tensor w/,
    ],
  ])('refuses %s, by name', (_what, bytes, message) => {
    expect(() => decoded(bytes)).toThrow(message);
  });

  test('keeps "to the end" of an attribute as the largest integer', async () => {
    const attribute = [{ name: 'ends', type: AttributeType.INTS, ints: [2n ** 63n - 1n, -1n] }];
    const model = decoded(encodedModel({ node: [{ opType: 'Slice', attribute }] }));
    expect(fromBinary(ModelProtoSchema, await written(model)).graph?.node[0]?.attribute[0]?.ints).toEqual([
      2n ** 63n - 1n,
      -1n,
    ]);
  });

  test('refuses a file of far more fields than a model has before it builds them', () => {
    // 6 million empty nodes in 12 MB.
    const graph = Uint8Array.from({ length: 12_000_000 }, (_, i) => (i % 2 === 0 ? 0x0a : 0));
    const head = [0x42, 2, 0x10, 23, 0x3a];
    for (let left = graph.length; left > 0; left = Math.floor(left / 128))
      head.push(left > 127 ? (left % 128) | 128 : left);
    const before = process.memoryUsage().heapUsed;
    expect(() => decoded(Buffer.concat([Uint8Array.from(head), graph]))).toThrow(/5000000 fields/);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6);
  });

  test('refuses a model without an operator set or a graph', () => {
    expect(() => decoded(encoded({ graph: {} }))).toThrow('ONNX');
    expect(() => decoded(encoded({ opsetImport: [{ version: 1n }] }))).toThrow('ONNX');
    expect(() => decoded(new Uint8Array())).toThrow('ONNX');
  });

  test('marks a dimension that the file does not tell', () => {
    const number = (value: bigint) => ({ value: { case: 'dimValue' as const, value } });
    const dim = [number(2n), {}, { value: { case: 'dimParam' as const, value: 'n' } }, number(0n)];
    const tensor = { elemType: dtypeCode('float32'), shape: { dim } };
    const type = { value: { case: 'tensorType' as const, value: tensor } };
    const model = decoded(encodedModel({ input: [{ name: 'x', type }] }));
    expect(model.inputs[0]!.dims).toEqual([2, '?', 'n', 0]);
  });

  test('gives tensors that share the bytes of the file', async () => {
    const bytes = await written(
      linearModel(
        Float32Array.from({ length: 8 }, (_, i) => i),
        new Float32Array(2),
      ),
    );
    const weight = decoded(bytes).initializers.get('W')!;
    expect((await weight.read()).buffer).toBe(bytes.buffer);
    expect(() => tensorOf('float32', [9], new Float32Array(8))).toThrow(RangeError);
  });
});
