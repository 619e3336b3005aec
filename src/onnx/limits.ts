import { ScalarType, type DescField, type DescMessage } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { ModelProtoSchema, type GraphProto, type ModelProto } from './schema/onnx_pb.js';

/**
 * Fields that a model's protobuf may have in all: a ViT of 40 layers has about 50,000. A field of two bytes becomes an object of a few
 * hundred, so that a file of some megabytes could otherwise fill the memory.
 */
const MAX_RECORDS = 5_000_000;

/** How deep messages may lie in each other; a model without subgraphs has seven levels. */
const MAX_DEPTH = 32;

/** The release of ONNX whose `onnx.proto` is in `schema/`. */
const ONNX_RELEASE = '1.23';

/**
 * Goes through a model's protobuf without building anything of it and refuses one that would take far more memory than it has bytes, or
 * that has fields which this release of ONNX does not define: what they mean is not known, so they cannot be left out.
 *
 * @param bytes - the file's content
 * @throws Error in words
 */
export function boundRecords(bytes: Uint8Array): void {
  countIn(ModelProtoSchema, new BinaryReader(bytes), bytes.byteLength, 0, { left: MAX_RECORDS });
}

function countIn(
  message: DescMessage,
  reader: BinaryReader,
  end: number,
  depth: number,
  budget: { left: number },
): void {
  if (depth > MAX_DEPTH) throw new Error(`messages inside each other more than ${MAX_DEPTH} deep`);
  const fields = fieldsOf(message);
  while (reader.pos < end) {
    const [number, wireType] = reader.tag();
    spend(budget, 1);
    const field = fields.get(number);
    if (field === undefined)
      throw new Error(
        `field ${number} of ${message.typeName}, which ONNX ${ONNX_RELEASE} does not define: this is no ONNX model, or one of a later release`,
      );
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number);
      continue;
    }
    const length = reader.uint32();
    const stop = reader.pos + length;
    if (stop > end) throw new Error(`a ${field.name} of ${length} bytes where ${end - reader.pos} are left`);
    const inner = field.fieldKind === 'message' || field.fieldKind === 'list' ? field.message : undefined;
    if (inner !== undefined) countIn(inner, reader, stop, depth + 1, budget);
    // Packed numbers: those of 64 bits become an object each.
    else if (isList64(field)) spend(budget, length);
    reader.pos = stop;
  }
}

function spend(budget: { left: number }, records: number): void {
  budget.left -= records;
  if (budget.left < 0) throw new Error(`more than ${MAX_RECORDS} fields in the protobuf`);
}

function isList64(field: DescField): boolean {
  return (
    field.fieldKind === 'list' &&
    field.listKind === 'scalar' &&
    (field.scalar === ScalarType.INT64 || field.scalar === ScalarType.UINT64)
  );
}

const fieldsByMessage = new Map<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(message: DescMessage): ReadonlyMap<number, DescField> {
  const known = fieldsByMessage.get(message);
  if (known !== undefined) return known;
  const fields = new Map(message.fields.map((field) => [field.number, field]));
  fieldsByMessage.set(message, fields);
  return fields;
}

/**
 * Refuses what ONNX defines and `OnnxModel` has no place for, where leaving it out would change what the model computes. Left out are only
 * descriptions: doc strings, metadata of nodes, quantization annotations, the layout over several devices, and how a model was trained.
 *
 * @param message - the model
 * @param graph - its graph
 * @throws Error in words that names the tensor, node or attribute
 */
export function refuseWhatIsNotRead(message: ModelProto, graph: GraphProto): void {
  const sparse = graph.sparseInitializer[0];
  if (sparse !== undefined)
    throw new Error(`the sparse initializer ${sparse.values?.name ?? ''}: only dense ones are supported`);
  const functions = new Set(message.functions.map(({ domain, name }) => `${domain}::${name}`));
  for (const { name, domain, opType, overload, attribute } of graph.node) {
    if (overload !== '' || functions.has(`${domain}::${opType}`))
      throw new Error(
        `node ${name}: it calls the function ${opType} of the model's own, which must be inlined`,
      );
    refuseTwice(`node ${name}: attribute`, attribute);
    for (const { name: attributeName, refAttrName } of attribute)
      if (refAttrName !== '')
        throw new Error(`node ${name}: attribute ${attributeName} refers to ${refAttrName} of a function`);
  }
  for (const { name, segment } of graph.initializer)
    if (segment !== undefined) throw new Error(`tensor ${name}: it is stored in segments`);
  refuseTwice('tensor', graph.initializer);
  refuseTwice(
    'the operator set of the domain',
    message.opsetImport.map(({ domain }) => ({ name: domain === 'ai.onnx' ? '' : domain })),
  );
}

function refuseTwice(what: string, named: readonly { readonly name: string }[]): void {
  const seen = new Set<string>();
  for (const { name } of named) {
    if (seen.has(name)) throw new Error(`${what} ${name} twice`);
    seen.add(name);
  }
}
