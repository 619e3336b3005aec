import { expect, test } from 'vitest';
import { bytesPerElement, dtypeCode, dtypeOfCode, type DType } from '../../src/onnx/dtype.js';

// onnx.proto3, enum TensorProto.DataType.
const published: readonly (readonly [DType, number, number])[] = [
  ['float32', 1, 4],
  ['uint8', 2, 1],
  ['int8', 3, 1],
  ['uint16', 4, 2],
  ['int16', 5, 2],
  ['int32', 6, 4],
  ['int64', 7, 8],
  ['bool', 9, 1],
  ['float16', 10, 2],
  ['float64', 11, 8],
  ['bfloat16', 16, 2],
];

test.each(published)('%s has the code %d and takes %d bytes', (dtype, code, bytes) => {
  expect(dtypeCode(dtype)).toBe(code);
  expect(dtypeOfCode(code)).toBe(dtype);
  expect(bytesPerElement(dtype)).toBe(bytes);
});

test('Codes of other types stand for none', () => {
  const known = new Set(published.map(([, code]) => code));
  for (let code = -1; code < 40; code++) if (!known.has(code)) expect(dtypeOfCode(code)).toBeUndefined();
});
