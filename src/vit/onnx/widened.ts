import { fromBfloat16, fromFloat16 } from '../../onnx/half.js';
import { dtypeCode, type DType } from '../../onnx/dtype.js';
import type { Attribute, OnnxModel, OnnxNode, ValueInfo } from '../../onnx/model.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { computed } from '../derived.js';

/** Floats of 16 bits. */
const HALVES: ReadonlySet<DType> = new Set<DType>(['float16', 'bfloat16']);
const HALF_CODES: ReadonlySet<number> = new Set([...HALVES].map((dtype) => dtypeCode(dtype)));

/**
 * A model that computes in float32 what it computed in 16 bits: its constants are the same numbers, and what was converted to 16 bits stays
 * as it is. Exact in the weights; values between the layers are no longer rounded.
 *
 * @param model - as a converter wrote it, with conversions at its ends or none
 * @returns undefined for a model that has nothing in 16 bits
 */
export function widened(model: OnnxModel): OnnxModel | undefined {
  const values = [...model.inputs, ...model.outputs];
  const isHalf = ({ dtype }: { readonly dtype: DType }): boolean => HALVES.has(dtype);
  const found =
    values.some(isHalf) ||
    [...model.initializers.values()].some(isHalf) ||
    model.nodes.some(({ attributes }) => Object.entries(attributes).some(isHalfAttribute));
  if (!found) return undefined;
  return {
    ...model,
    inputs: model.inputs.map(wideInfo),
    outputs: model.outputs.map(wideInfo),
    // Those of values between the nodes would contradict what the nodes give now.
    values: [],
    initializers: new Map([...model.initializers].map(([name, tensor]) => [name, wide(tensor)])),
    nodes: model.nodes.map((node): OnnxNode => {
      const attributes = Object.entries(node.attributes).map(([name, attribute]) => [
        name,
        wideAttribute(name, attribute),
      ]);
      return { ...node, attributes: Object.fromEntries(attributes) as OnnxNode['attributes'] };
    }),
  };
}

/** Attributes that name a type: what is converted to it, drawn or made in it. */
const TYPES = new Set(['to', 'dtype']);

function isHalfAttribute([name, attribute]: [string, Attribute]): boolean {
  if (attribute.type === 'tensor') return HALVES.has(attribute.value.dtype);
  return attribute.type === 'int' && TYPES.has(name) && HALF_CODES.has(attribute.value);
}

function wideAttribute(name: string, attribute: Attribute): Attribute {
  if (!isHalfAttribute([name, attribute])) return attribute;
  return attribute.type === 'tensor'
    ? { type: 'tensor', value: wide(attribute.value) }
    : { type: 'int', value: dtypeCode('float32') };
}

function wideInfo(info: ValueInfo): ValueInfo {
  return HALVES.has(info.dtype) ? { ...info, dtype: 'float32' } : info;
}

function wide(tensor: TensorSource): TensorSource {
  if (!HALVES.has(tensor.dtype)) return tensor;
  const widen = tensor.dtype === 'float16' ? fromFloat16 : fromBfloat16;
  return computed(tensor.dims, async () => widen(viewAs(await tensor.read(), Uint16Array)));
}
