import { TensorProto_DataType as DataType } from './schema/onnx_pb.js';

/** Element types of tensors, by the names that ONNX Runtime's JavaScript API uses. */
export type DType =
  | 'float32'
  | 'float64'
  | 'float16'
  | 'bfloat16'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'bool';

const types: Record<DType, { readonly code: number; readonly bytes: number }> = {
  float32: { code: DataType.FLOAT, bytes: 4 },
  float64: { code: DataType.DOUBLE, bytes: 8 },
  float16: { code: DataType.FLOAT16, bytes: 2 },
  bfloat16: { code: DataType.BFLOAT16, bytes: 2 },
  uint8: { code: DataType.UINT8, bytes: 1 },
  int8: { code: DataType.INT8, bytes: 1 },
  uint16: { code: DataType.UINT16, bytes: 2 },
  int16: { code: DataType.INT16, bytes: 2 },
  int32: { code: DataType.INT32, bytes: 4 },
  int64: { code: DataType.INT64, bytes: 8 },
  bool: { code: DataType.BOOL, bytes: 1 },
};

/** Bytes that one element of a type takes. */
export function bytesPerElement(dtype: DType): number {
  return types[dtype].bytes;
}

/** The code of `onnx.TensorProto.DataType` for a type. */
export function dtypeCode(dtype: DType): number {
  return types[dtype].code;
}

/** The type that a code of `onnx.TensorProto.DataType` stands for; undefined for the ones EdgeFlex does not use. */
export function dtypeOfCode(code: number): DType | undefined {
  return (Object.keys(types) as DType[]).find((dtype) => types[dtype].code === code);
}
