import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { batch } from '../../src/onnx/dims.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { binary, matMul } from '../../src/onnx/ops.js';
import {
  ModelProtoSchema,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type GraphProtoSchema,
  type TensorProtoSchema,
} from '../../src/onnx/schema/onnx_pb.js';
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

/** A model of one operator that ONNX Runtime knows and has a kernel for on CUDA alone: BiasAdd. */
export function modelWithoutKernel(): OnnxModel {
  const g = new GraphBuilder('without-kernel');
  const x = g.input('x', 'float32', [1, 4, 8]);
  const bias = g.constant('bias', float32([8], new Float32Array(8)));
  const made = { name: 'add', dtype: 'float32', dims: [1, 4, 8] } as const;
  g.output(g.call('BiasAdd', [x, bias, x], made, { domain: 'com.microsoft' }));
  return g.finish();
}

/** A model of constants alone, which nothing uses. */
export function constantsModel(tensors: Readonly<Record<string, TensorSource>>): OnnxModel {
  const g = new GraphBuilder('constants');
  for (const [name, tensor] of Object.entries(tensors)) g.constant(name, tensor);
  return g.finish();
}

/** The fields of a tensor's protobuf. */
export type TensorFields = MessageInitShape<typeof TensorProtoSchema>;

/** The protobuf of a model. */
export function encoded(model: MessageInitShape<typeof ModelProtoSchema>): Uint8Array {
  return toBinary(ModelProtoSchema, create(ModelProtoSchema, model));
}

/** The protobuf of a model around a graph, as another tool might have written it. */
export function encodedModel(graph: MessageInitShape<typeof GraphProtoSchema>): Uint8Array {
  return encoded({ irVersion: 11n, opsetImport: [{ domain: '', version: 23n }], graph });
}

/** The protobuf of a model with one constant. */
export function encodedTensor(tensor: TensorFields): Uint8Array {
  return encodedModel({ initializer: [{ ...tensor, name: 'w' }] });
}

/** The fields of a float32 constant that lies in another file. */
export function externalTensor(
  dims: readonly number[],
  location: Readonly<Record<string, string>>,
): TensorFields {
  return {
    dataType: DataType.FLOAT,
    dims: dims.map(BigInt),
    dataLocation: DataLocation.EXTERNAL,
    externalData: Object.entries(location).map(([key, value]) => ({ key, value })),
  };
}
