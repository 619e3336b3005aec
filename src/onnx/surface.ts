import { copyFile, open, stat, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { foundBy, InputError } from '../base/errors.js';
import { dtypeOfCode } from './dtype.js';
import { boundRecords } from './limits.js';
import type { SymbolicDim } from './model.js';
import { noModel, protobufFault, readProtobuf } from './protobuf.js';
import {
  ModelProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type AttributeProto,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from './schema/onnx_pb.js';

/** Tensors in external data begin at a multiple of this, wherever their file is put into another: no page of memory is larger. */
const ALIGNMENT = 65_536;

/** What stands for a dimension that is open and has no name. */
export const UNNAMED_DIM = '?';

/** An input or an output of a file, of whatever type. */
export interface SurfaceValue {
  readonly name: string;
  /** The type that EdgeFlex has for it, or else its name in ONNX (`STRING`); `none` for what is no tensor. */
  readonly dtype: string;
  /** Undefined where the file does not say of how many dimensions it is. */
  readonly dims: readonly SymbolicDim[] | undefined;
}

/** A node of a file, of its subgraphs or of its own functions. */
export interface SurfaceNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for the standard `ai.onnx` operators. */
  readonly domain: string;
}

/**
 * What an ONNX file shows from outside: all that running it needs. Unlike `OnnxModel` it can be had of every file, also of one with
 * subgraphs, functions or types that EdgeFlex does not compute with.
 */
export interface OnnxSurface {
  /** Those that have to be given: without the initializers that older files list among them. */
  readonly inputs: readonly SurfaceValue[];
  readonly outputs: readonly SurfaceValue[];
  readonly nodes: readonly SurfaceNode[];
  /** Elements of all initializers and constants: weights, and what belongs to them (scales, zero points). */
  readonly elements: number;
  /** Bytes of the largest of them. */
  readonly largestBytes: number;
  /** Files beside it that hold tensors, as it names them, sorted. */
  readonly externalFiles: readonly string[];
}

/**
 * Looks at an ONNX file without reading its external data.
 *
 * @param path - the `.onnx` file
 * @throws InputError when the file is missing, is no ONNX model, or points outside its own directory
 */
export async function readSurface(path: string): Promise<OnnxSurface> {
  const message = await readProto(path);
  const graph = graphOf(path, message);
  const tensors = tensorsOf(message);
  const initializers = new Set(graph.initializer.map(({ name }) => name));
  return {
    inputs: graph.input.filter(({ name }) => !initializers.has(name)).map(valueOf),
    outputs: graph.output.map(valueOf),
    nodes: nodesOf(message).map(({ name, opType, domain }) => ({
      ...{ name, opType, domain: domain === 'ai.onnx' ? '' : domain },
    })),
    elements: tensors.reduce((sum, tensor) => sum + elementsOf(tensor), 0),
    largestBytes: Math.max(
      0,
      ...tensors.map((tensor) => Math.ceil((elementsOf(tensor) * bitsOf(tensor)) / 8)),
    ),
    externalFiles: [...new Set(tensors.flatMap((tensor) => externalFileOf(path, tensor) ?? []))].sort(),
  };
}

/**
 * Copies a model as it is, its external data into one file beside it (`to` + `.data`), as models of EdgeFlex's own have it. A file
 * without external data is copied byte for byte; of another one only the places of its tensors change.
 *
 * @param from - the `.onnx` file
 * @param to - where it goes; its directory must exist
 * @returns bytes of what was written
 * @throws InputError as `readSurface` does, and when external data is missing; the file system's error when `to` cannot be written
 */
export async function copyModel(from: string, to: string): Promise<number> {
  const message = await readProto(from);
  graphOf(from, message);
  const external = tensorsOf(message).filter((tensor) => externalFileOf(from, tensor) !== undefined);
  if (external.length === 0) {
    await copyFile(from, to);
    return (await stat(to)).size;
  }
  const name = `${to.slice(dirname(to).length + 1)}.data`;
  const files = [...new Set(external.flatMap((tensor) => externalFileOf(from, tensor) ?? []))].sort();
  const starts = await joined(
    files.map((file) => ({ file, path: join(dirname(from), file) })),
    `${to}.data`,
  );
  for (const tensor of external) {
    const start = starts.get(externalFileOf(from, tensor) ?? '') ?? 0;
    const entries = new Map(tensor.externalData.map((entry) => [entry.key, entry]));
    const [location, offset] = [entries.get('location'), entries.get('offset')];
    if (location) location.value = name;
    if (offset) offset.value = String(Number(offset.value) + start);
    else if (location && start > 0)
      tensor.externalData.push({ ...location, key: 'offset', value: String(start) });
    // Of the whole file, which is another one now.
    tensor.externalData = tensor.externalData.filter(({ key }) => key !== 'checksum');
  }
  const bytes = toBinary(ModelProtoSchema, message);
  await writeFile(to, bytes);
  return bytes.byteLength + (await stat(`${to}.data`)).size;
}

/** Puts files one behind the other. @returns where each begins, by its name */
async function joined(
  files: readonly { readonly file: string; readonly path: string }[],
  to: string,
): Promise<Map<string, number>> {
  const starts = new Map<string, number>();
  const target = await open(to, 'w');
  try {
    let end = 0;
    for (const { file, path } of files) {
      const start = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
      starts.set(file, start);
      const source = await open(path, 'r').catch((error: unknown) => {
        throw new InputError({ source: path, found: foundBy(error), expected: 'a file that can be read' });
      });
      end = start;
      for await (const chunk of source.createReadStream({
        highWaterMark: 1 << 22,
      }) as AsyncIterable<Buffer>) {
        for (let done = 0; done < chunk.byteLength;)
          done += (await target.write(chunk, done, chunk.byteLength - done, end + done)).bytesWritten;
        end += chunk.byteLength;
      }
    }
  } finally {
    await target.close();
  }
  return starts;
}

async function readProto(path: string): Promise<ModelProto> {
  const bytes = await readProtobuf(path);
  try {
    boundRecords(bytes);
    return fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw noModel(path, protobufFault(error));
  }
}

function graphOf(path: string, { graph, opsetImport }: ModelProto): GraphProto {
  if (graph !== undefined && opsetImport.length > 0) return graph;
  throw new InputError({
    source: path,
    found: 'no graph or no operator set: this is not an ONNX model',
    expected: 'an ONNX model',
  });
}

function valueOf({ name, type }: ValueInfoProto): SurfaceValue {
  const tensor = type?.value.case === 'tensorType' ? type.value.value : undefined;
  if (tensor === undefined) return { name, dtype: 'none', dims: undefined };
  return {
    name,
    dtype: dtypeOfCode(tensor.elemType) ?? DataType[tensor.elemType] ?? String(tensor.elemType),
    dims: tensor.shape?.dim.map(({ value }): SymbolicDim => {
      if (value.case === 'dimParam' && value.value !== '') return value.value;
      return value.case === 'dimValue' ? Number(value.value) : UNNAMED_DIM;
    }),
  };
}

/** All nodes: of the graph, of subgraphs in attributes, and of the model's own functions. */
function nodesOf({ graph, functions }: ModelProto): NodeProto[] {
  const within = (nodes: readonly NodeProto[]): NodeProto[] =>
    nodes.flatMap((node) => [
      node,
      ...node.attribute.flatMap((attribute) => graphsOf(attribute).flatMap((inner) => within(inner.node))),
    ]);
  return [...within(graph?.node ?? []), ...functions.flatMap(({ node }) => within(node))];
}

function graphsOf({ g, graphs }: AttributeProto): GraphProto[] {
  return g === undefined ? graphs : [g, ...graphs];
}

/** All tensors: initializers and constants, of subgraphs and functions, too. */
function tensorsOf(message: ModelProto): TensorProto[] {
  const ofGraph = ({ initializer, sparseInitializer }: GraphProto): TensorProto[] => [
    ...initializer,
    ...sparseInitializer.flatMap(({ values, indices }) => [values, indices].flatMap((each) => each ?? [])),
  ];
  const attributes = [
    ...nodesOf(message).flatMap(({ attribute }) => attribute),
    ...message.functions.flatMap(({ attributeProto }) => attributeProto),
  ];
  return [
    ...(message.graph ? ofGraph(message.graph) : []),
    ...attributes.flatMap((attribute) => {
      const { t, tensors, sparseTensor, sparseTensors } = attribute;
      return [
        ...(t ? [t] : []),
        ...tensors,
        ...[...(sparseTensor ? [sparseTensor] : []), ...sparseTensors].flatMap(({ values, indices }) =>
          [values, indices].flatMap((each) => each ?? []),
        ),
        ...graphsOf(attribute).flatMap(ofGraph),
      ];
    }),
  ];
}

function elementsOf({ dims }: TensorProto): number {
  return dims.reduce((product, dim) => product * Number(dim), 1);
}

/** Bits of an element by its type; those of eight are left out. */
const BITS: ReadonlyMap<number, number> = new Map<number, number>([
  ...[DataType.COMPLEX128].map((type) => [type, 128] as const),
  ...[DataType.DOUBLE, DataType.INT64, DataType.UINT64, DataType.COMPLEX64].map(
    (type) => [type, 64] as const,
  ),
  ...[DataType.FLOAT, DataType.INT32, DataType.UINT32].map((type) => [type, 32] as const),
  ...[DataType.FLOAT16, DataType.BFLOAT16, DataType.INT16, DataType.UINT16].map(
    (type) => [type, 16] as const,
  ),
  ...[DataType.INT4, DataType.UINT4, DataType.FLOAT4E2M1].map((type) => [type, 4] as const),
  ...[DataType.INT2, DataType.UINT2].map((type) => [type, 2] as const),
]);

function bitsOf({ dataType }: TensorProto): number {
  return BITS.get(dataType) ?? 8;
}

/** The file that holds a tensor, as the model names it; undefined for one that lies inside. @throws InputError for a place elsewhere */
function externalFileOf(path: string, tensor: TensorProto): string | undefined {
  if (tensor.dataLocation !== DataLocation.EXTERNAL) return undefined;
  const file = tensor.externalData.find(({ key }) => key === 'location')?.value ?? '';
  const relative = normalize(file);
  if (file !== '' && !isAbsolute(relative) && !relative.startsWith('..')) return file;
  throw new InputError({
    source: path,
    place: `external data of ${tensor.name}`,
    found: file === '' ? 'no location' : `the location ${file}`,
    expected: "a file in the model's own directory",
  });
}
