import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { dtypeCode, dtypeOfCode } from './dtype.js';
import { boundRecords, refuseWhatIsNotRead } from './limits.js';
import type { Attribute, OnnxModel, OnnxNode, SymbolicDim, ValueInfo } from './model.js';
import {
  AttributeProto_AttributeType as AttributeType,
  GraphProtoSchema,
  ModelProtoSchema,
  TensorProtoSchema,
  TensorProto_DataLocation as DataLocation,
  type AttributeProto,
  type AttributeProtoSchema,
  type ModelProto,
  type NodeProto,
  type NodeProtoSchema,
  type TensorProto,
  type TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  type ValueInfoProtoSchema,
} from './schema/onnx_pb.js';
import { protobufFault } from './protobuf.js';
import { byteLength, tensorOf, type TensorSource } from './tensor.js';

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** Where an initializer's bytes lie when they are not inside the protobuf. */
export interface ExternalLocation {
  readonly file: string;
  readonly offset: number;
  readonly length: number;
}

/**
 * Turns a model into its protobuf. Types and shapes of intermediate values are left out: ONNX Runtime finds them itself,
 * and where it knows that two have the same shape it keeps the memory of the one for the other instead of freeing it,
 * which costs a ViT a quarter of its peak.
 *
 * @param model - the graph
 * @param place - for each initializer either its bytes, to lie inside the protobuf, or where they lie outside
 * @param attributes - the bytes of tensors that are attributes of nodes
 */
export function encodeModel(
  model: OnnxModel,
  place: ReadonlyMap<string, Uint8Array | ExternalLocation>,
  attributes: ReadonlyMap<TensorSource, Uint8Array> = new Map(),
): Uint8Array {
  const message = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion),
    producerName: 'edgeflex',
    opsetImport: Object.entries(model.opsets).map(([domain, version]) => ({
      domain,
      version: BigInt(version),
    })),
    metadataProps: Object.entries(model.metadata).map(([key, value]) => ({ key, value })),
    graph: {
      name: model.name,
      node: model.nodes.map((node) => encodeNode(node, attributes)),
      input: model.inputs.map(encodeValue),
      output: [...model.outputs.map(encodeValue), ...(model.untypedOutputs ?? []).map((name) => ({ name }))],
      initializer: [...model.initializers].map(([name, tensor]) => {
        const where = place.get(name);
        if (where === undefined) throw new RangeError(`initializer ${name} has no place`);
        return encodeTensor(name, tensor, where);
      }),
    },
  });
  return toBinary(ModelProtoSchema, message);
}

/**
 * Turns a model into its protobuf with all initializers inside, each of which is copied once: as nested messages they would be copied
 * whenever those grow. They stand in a part of the graph of their own, which readers of protobuf join with the other. It comes first, so
 * that no beginning of the bytes is a model without its constants.
 *
 * @param model - the graph
 * @param inside - the bytes of each initializer
 * @param attributes - the bytes of tensors that are attributes of nodes
 */
export function encodeWhole(
  model: OnnxModel,
  inside: ReadonlyMap<string, Uint8Array>,
  attributes: ReadonlyMap<TensorSource, Uint8Array> = new Map(),
): Uint8Array {
  const frame = encodeModel({ ...model, initializers: new Map() }, new Map(), attributes);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (part: Uint8Array): void => {
    parts.push(part);
    bytes += part.byteLength;
  };
  for (const [name, tensor] of model.initializers) {
    const data = inside.get(name);
    if (data === undefined) throw new RangeError(`initializer ${name} has no place`);
    const info = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorInfo(name, tensor)));
    const before = prefixOf(TensorProtoSchema.field.rawData.number, data.byteLength);
    add(
      prefixOf(
        GraphProtoSchema.field.initializer.number,
        info.byteLength + before.byteLength + data.byteLength,
      ),
    );
    for (const part of [info, before, data]) add(part);
  }
  if (parts.length === 0) return frame;
  const front = prefixOf(ModelProtoSchema.field.graph.number, bytes);
  const whole = new Uint8Array(front.byteLength + bytes + frame.byteLength);
  let at = 0;
  for (const part of [front, ...parts, frame]) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** What precedes the bytes of a field in protobuf: its tag and their number. */
function prefixOf(field: number, length: number): Uint8Array {
  return new BinaryWriter().tag(field, WireType.LengthDelimited).uint32(length).finish();
}

function messageIn(bytes: Uint8Array): ModelProto {
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new Error(protobufFault(error), { cause: error });
  }
}

/**
 * Reads a model's protobuf.
 *
 * @param bytes - the file's content; initializers inside it become views of these bytes
 * @param external - gives the tensor source for an initializer that lies outside
 * @throws Error in words when the bytes are no ONNX model or use a type EdgeFlex does not know
 */
export function decodeModel(
  bytes: Uint8Array,
  external: (info: Pick<TensorSource, 'dtype' | 'dims'>, location: ExternalLocation) => TensorSource,
): OnnxModel {
  boundRecords(bytes);
  const message = messageIn(bytes);
  const { graph, opsetImport } = message;
  if (graph === undefined || opsetImport.length === 0)
    throw new Error('no graph or no operator set: this is not an ONNX model');
  refuseWhatIsNotRead(message, graph);
  return {
    name: graph.name,
    irVersion: Number(message.irVersion),
    opsets: Object.fromEntries(
      opsetImport.map(({ domain, version }) => [domain === 'ai.onnx' ? '' : domain, Number(version)]),
    ),
    inputs: graph.input.map(decodeValue),
    outputs: graph.output.map(decodeValue),
    values: graph.valueInfo.map(decodeValue),
    nodes: graph.node.map(decodeNode),
    initializers: new Map(graph.initializer.map((tensor) => [tensor.name, decodeTensor(tensor, external)])),
    metadata: Object.fromEntries(message.metadataProps.map(({ key, value }) => [key, value])),
  };
}

function encodeNode(
  node: OnnxNode,
  tensors: ReadonlyMap<TensorSource, Uint8Array>,
): MessageInitShape<typeof NodeProtoSchema> {
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) =>
      encodeAttribute(name, attribute, tensors),
    ),
  };
}

function encodeAttribute(
  name: string,
  attribute: Attribute,
  tensors: ReadonlyMap<TensorSource, Uint8Array>,
): MessageInitShape<typeof AttributeProtoSchema> {
  switch (attribute.type) {
    case 'int':
      return { name, type: AttributeType.INT, i: toInt64(attribute.value) };
    case 'float':
      return { name, type: AttributeType.FLOAT, f: attribute.value };
    case 'string':
      return { name, type: AttributeType.STRING, s: toUtf8.encode(attribute.value) };
    case 'ints':
      return { name, type: AttributeType.INTS, ints: attribute.value.map(toInt64) };
    case 'floats':
      return { name, type: AttributeType.FLOATS, floats: [...attribute.value] };
    case 'strings':
      return {
        name,
        type: AttributeType.STRINGS,
        strings: attribute.value.map((text) => toUtf8.encode(text)),
      };
    case 'tensor': {
      const bytes = tensors.get(attribute.value);
      if (bytes === undefined) throw new RangeError(`attribute ${name}: its tensor was not read`);
      return { name, type: AttributeType.TENSOR, t: encodeTensor('', attribute.value, bytes) };
    }
  }
}

function encodeValue(value: ValueInfo): MessageInitShape<typeof ValueInfoProtoSchema> {
  return {
    name: value.name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: dtypeCode(value.dtype),
          shape: { dim: value.dims.map(encodeDim) },
        },
      },
    },
  };
}

function encodeDim(dim: SymbolicDim): MessageInitShape<typeof TensorShapeProto_DimensionSchema> {
  if (typeof dim === 'number') return { value: { case: 'dimValue', value: BigInt(dim) } };
  return dim === '?' ? {} : { value: { case: 'dimParam', value: dim } };
}

function encodeTensor(
  name: string,
  tensor: TensorSource,
  where: Uint8Array | ExternalLocation,
): MessageInitShape<typeof TensorProtoSchema> {
  const common = tensorInfo(name, tensor);
  if (where instanceof Uint8Array) return { ...common, rawData: where };
  return {
    ...common,
    dataLocation: DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: where.file },
      { key: 'offset', value: String(where.offset) },
      { key: 'length', value: String(where.length) },
    ],
  };
}

function tensorInfo(name: string, tensor: TensorSource): { name: string; dataType: number; dims: bigint[] } {
  return { name, dataType: dtypeCode(tensor.dtype), dims: tensor.dims.map(BigInt) };
}

function decodeNode(node: NodeProto): OnnxNode {
  return {
    name: node.name,
    opType: node.opType,
    domain: node.domain === 'ai.onnx' ? '' : node.domain,
    inputs: node.input,
    outputs: node.output,
    attributes: Object.fromEntries(
      node.attribute.map((attribute) => [attribute.name, decodeAttribute(attribute)]),
    ),
  };
}

function decodeAttribute(attribute: AttributeProto): Attribute {
  const { name } = attribute;
  switch (attribute.type) {
    case AttributeType.INT:
      return { type: 'int', value: fromInt64(attribute.i, `attribute ${name}`) };
    case AttributeType.FLOAT:
      return { type: 'float', value: attribute.f };
    case AttributeType.STRING:
      return { type: 'string', value: utf8.decode(attribute.s) };
    case AttributeType.INTS:
      return { type: 'ints', value: attribute.ints.map((value) => fromInt64(value, `attribute ${name}`)) };
    case AttributeType.FLOATS:
      return { type: 'floats', value: attribute.floats };
    case AttributeType.STRINGS:
      return { type: 'strings', value: attribute.strings.map((text) => utf8.decode(text)) };
    case AttributeType.TENSOR:
      if (attribute.t === undefined) throw new Error(`attribute ${name}: a tensor that is not there`);
      return {
        type: 'tensor',
        value: decodeTensor(attribute.t, () => {
          throw new Error(`attribute ${name}: external data in an attribute`);
        }),
      };
    default:
      throw new Error(`attribute ${name}: type ${attribute.type} (a subgraph?) is not supported`);
  }
}

function decodeValue({ name, type }: ValueInfoProto): ValueInfo {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  const dtype = dtypeOfCode(tensor?.elemType ?? 0);
  if (dtype === undefined)
    throw new Error(`value ${name}: element type ${tensor?.elemType ?? 'none'} is not supported`);
  return {
    name,
    dtype,
    dims: (tensor?.shape?.dim ?? []).map(({ value }): SymbolicDim => {
      if (value.case === 'dimParam' && value.value !== '') return value.value;
      return value.case === 'dimValue' ? Number(value.value) : '?';
    }),
  };
}

function decodeTensor(
  tensor: TensorProto,
  external: (info: Pick<TensorSource, 'dtype' | 'dims'>, location: ExternalLocation) => TensorSource,
): TensorSource {
  const { name } = tensor;
  const dtype = dtypeOfCode(tensor.dataType);
  if (dtype === undefined)
    throw new Error(`tensor ${name}: element type ${tensor.dataType} is not supported`);
  const dims = tensor.dims.map(Number);
  const bytes = byteLength({ dtype, dims });
  if (dims.some((dim) => !(dim >= 0)) || !Number.isSafeInteger(bytes))
    throw new Error(`tensor ${name}: no shape is ${dims.join(',')}`);
  if (tensor.dataLocation === DataLocation.EXTERNAL)
    return external({ dtype, dims }, externalLocation(tensor, bytes));
  const inside = elementsInside(tensor);
  if (inside.byteLength !== bytes)
    throw new Error(
      `tensor ${name}: ${inside.byteLength} bytes where ${dtype}[${dims.join(',')}] needs ${bytes}`,
    );
  return tensorOf(dtype, dims, inside);
}

/** An integer for the field of one; the largest double that stands for "to the end" becomes the largest integer. */
function toInt64(value: number): bigint {
  const exact = BigInt(value);
  if (exact > INT64_MAX) return INT64_MAX;
  return exact < INT64_MIN ? INT64_MIN : exact;
}

/** An integer as a number: exact, or an end of the range, which stands for "to the end" and comes back from `toInt64`. */
function fromInt64(value: bigint, place: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number) && value !== INT64_MAX && value !== INT64_MIN)
    throw new Error(`${place}: ${value} is beyond the integers that are handled exactly (2^53)`);
  return number;
}

function externalLocation(tensor: TensorProto, expectedLength: number): ExternalLocation {
  const entries = new Map(tensor.externalData.map(({ key, value }) => [key, value]));
  const file = entries.get('location');
  if (!file) throw new Error(`tensor ${tensor.name}: external data without a location`);
  const length = Number(entries.get('length') ?? expectedLength);
  if (length !== expectedLength)
    throw new Error(
      `tensor ${tensor.name}: external data of ${length} bytes where its shape needs ${expectedLength}`,
    );
  const offset = Number(entries.get('offset') ?? 0);
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new Error(`tensor ${tensor.name}: external data at offset ${entries.get('offset') ?? ''}`);
  return { file, offset, length };
}

/** The elements of a tensor that lies in the protobuf, which has one field for raw bytes and one per family of types. */
function elementsInside(tensor: TensorProto): Uint8Array {
  if (tensor.rawData.byteLength > 0) return tensor.rawData;
  const bytesOf = (array: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }): Uint8Array =>
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
  if (tensor.floatData.length > 0) return bytesOf(Float32Array.from(tensor.floatData));
  if (tensor.doubleData.length > 0) return bytesOf(Float64Array.from(tensor.doubleData));
  if (tensor.int64Data.length > 0) return bytesOf(BigInt64Array.from(tensor.int64Data));
  const small = tensor.int32Data;
  switch (dtypeOfCode(tensor.dataType)) {
    case 'int32':
      return bytesOf(Int32Array.from(small));
    case 'int8':
    case 'uint8':
    case 'bool':
      return Uint8Array.from(small);
    default:
      return bytesOf(Uint16Array.from(small));
  }
}
