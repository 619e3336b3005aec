import { InputError } from '../../base/errors.js';
import type { OnnxNode } from '../../onnx/model.js';
import type { ForeignGraph } from './graph.js';

/** Operators that compute with quantised numbers, of ONNX and of ONNX Runtime (`com.microsoft`). */
const QUANTISED =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantizeLinear|DynamicQuantizeMatMul|DynamicQuantizeLSTM|MatMulInteger.*|ConvInteger.*|QLinear.+|QGemm|QAttention|QOrdered.+|MatMulNBits|MatMulBnb4|MatMulFpQ4|GatherBlockQuantized|QMoE)$/;

/** Codes of `onnx.TensorProto.DataType` for the floats of 16 bits. */
const HALVES: Readonly<Record<number, string>> = { 10: 'float16', 16: 'bfloat16' };

/**
 * Refuses a graph that does not compute in float32, before anything runs it: what it says is then the reason, and not the first node that
 * looks strange. Converters write files of mixed types that ONNX Runtime does not survive.
 *
 * @param graph - the graph
 * @throws InputError for a file that is quantised already, or computes in 16 bits
 */
export function refuseOtherNumbers(graph: ForeignGraph): void {
  const { path, model } = graph;
  const nameOf = (node: OnnxNode): string => (node.name === '' ? (node.outputs[0] ?? '') : node.name);
  const quantised = model.nodes.find(({ opType }) => QUANTISED.test(opType));
  if (quantised)
    throw new InputError({
      source: path,
      place: `node ${nameOf(quantised)}`,
      found: `${quantised.opType}: the model is quantised already`,
      expected: 'a model in float32',
      hint: 'Give the model that it was made from; EdgeFlex quantises by itself.',
    });
  const half = halfOf(graph);
  if (half)
    throw new InputError({
      source: path,
      place: half.place,
      found: `${half.type}: the model computes in 16 bits`,
      expected: 'a model in float32',
      hint: 'Give the model that it was made from; the stage "precision" makes it float16.',
    });
}

/** What shows that a graph computes in 16 bits: an input, a weight that is not widened before use, or a conversion. */
function halfOf({
  model,
  constants,
}: ForeignGraph): { readonly place: string; readonly type: string } | undefined {
  const isHalf = (type: string | undefined): boolean => type === 'float16' || type === 'bfloat16';
  const input = model.inputs.find(({ dtype }) => isHalf(dtype));
  if (input) return { place: `input ${input.name}`, type: input.dtype };
  for (const node of model.nodes) {
    const to = node.attributes['to'];
    const cast = node.opType === 'Cast' && to?.type === 'int' ? HALVES[to.value] : undefined;
    const place = `node ${node.name === '' ? (node.outputs[0] ?? '') : node.name}`;
    if (cast !== undefined) return { place, type: cast };
    if (node.opType === 'Cast' || node.opType === 'Identity' || node.opType === 'Transpose') continue;
    for (const name of node.inputs) {
      const type = constants.get(name)?.dtype;
      if (type === 'float16' || type === 'bfloat16') return { place: `tensor ${name}`, type };
    }
  }
  return undefined;
}
