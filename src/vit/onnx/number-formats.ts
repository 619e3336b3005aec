import type { OnnxModel, OnnxNode } from '../../onnx/model.js';
import { nameOf } from './graph.js';
import { UnrecognisedGraph } from './unrecognised.js';

/** Operators that compute with quantised numbers, of ONNX and of ONNX Runtime (`com.microsoft`). */
const QUANTISED =
  /^(QuantizeLinear|DequantizeLinear|DynamicQuantizeLinear|DynamicQuantizeMatMul|DynamicQuantizeLSTM|MatMulInteger.*|ConvInteger.*|QLinear.+|QGemm|QAttention|QOrdered.+|MatMulNBits|MatMulBnb4|MatMulFpQ4|GatherBlockQuantized|QMoE)$/;

/** Whether an operator computes with quantised numbers. */
export function isQuantised({ opType }: Pick<OnnxNode, 'opType'>): boolean {
  return QUANTISED.test(opType);
}

/**
 * Refuses a graph that computes with quantised numbers, before anything runs it: what it says is then the reason, and not the first node
 * that looks strange.
 *
 * @param path - the file
 * @param model - its content
 * @throws UnrecognisedGraph for a file that is quantised already
 */
export function refuseQuantised(path: string, model: OnnxModel): void {
  const quantised = model.nodes.find(isQuantised);
  if (quantised === undefined) return;
  const { opType: operator } = quantised;
  const node = nameOf(quantised);
  throw new UnrecognisedGraph(
    { kind: 'quantised', node, operator },
    {
      source: path,
      place: `node ${node}`,
      found: `${operator}: the model is quantised already`,
      expected: 'a model in floats',
      hint: 'Give the model that it was made from; EdgeFlex quantises by itself. As it is it can be run ("edgeflex run … --model file.onnx").',
    },
  );
}
