import proto, { type onnx } from 'onnx-proto';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch } from '../../src/onnx/dims.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { binary, matMul } from '../../src/onnx/ops.js';
import { float32, type TensorSource } from '../../src/onnx/tensor.js';

/** `y = x · W + b` with weights large enough to lie outside the protobuf and a bias that is not. */
export function linearModel(weight: Float32Array, bias: Float32Array): OnnxModel {
  const inputs = weight.length / bias.length;
  const g = new GraphBuilder('linear');
  const x = g.input('x', 'float32', [batch, inputs]);
  const product = matMul(g, 'product', x, g.constant('W', float32([inputs, bias.length], weight)));
  g.output(binary(g, 'Add', 'y', product, g.constant('b', float32([bias.length], bias))));
  return g.finish({ made: 'by a test' });
}

/** A model of constants alone, which nothing uses. */
export function constantsModel(tensors: Readonly<Record<string, TensorSource>>): OnnxModel {
  const g = new GraphBuilder('constants');
  for (const [name, tensor] of Object.entries(tensors)) g.constant(name, tensor);
  return g.finish();
}

/** The protobuf of a model around a graph, as another tool might have written it. */
export function encodedModel(graph: onnx.IGraphProto): Uint8Array {
  const opsetImport = [{ domain: '', version: 23 }];
  return proto.onnx.ModelProto.encode({ irVersion: 11, opsetImport, graph }).finish();
}

/** The protobuf of a model with one constant. */
export function encodedTensor(tensor: onnx.ITensorProto): Uint8Array {
  return encodedModel({ initializer: [{ name: 'w', ...tensor }] });
}

/** The fields of a float32 constant that lies in another file. */
export function externalTensor(
  dims: readonly number[],
  location: Readonly<Record<string, string>>,
): onnx.ITensorProto {
  return {
    dataType: proto.onnx.TensorProto.DataType.FLOAT,
    dims: [...dims],
    dataLocation: proto.onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: Object.entries(location).map(([key, value]) => ({ key, value })),
  };
}
