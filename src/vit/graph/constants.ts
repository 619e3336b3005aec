import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { dtypeCode } from '../../onnx/dtype.js';
import { cast } from '../../onnx/ops.js';
import { viewAs, type TensorSource } from '../../onnx/tensor.js';
import { weightOf, type ViT } from '../vit.js';

/**
 * A tensor of the model as a float32 value. One that is stored as float16 is widened by a Cast: ONNX Runtime folds it
 * while loading, so that the file is small and the arithmetic is float32, as targets without float16 kernels need it.
 *
 * @param g - the graph
 * @param vit - the model
 * @param name - the tensor's name
 */
export function floatConstant(g: GraphBuilder, vit: ViT, name: string): Value {
  return widened(g, name, weightOf(vit, name));
}

/**
 * A weight matrix `[outputs, inputs]` as ONNX multiplies by it: `[inputs, outputs]`, in its own integer type or float32.
 *
 * @param g - the graph
 * @param vit - the model
 * @param name - the tensor's name
 */
export function matrixConstant(g: GraphBuilder, vit: ViT, name: string): Value {
  return widened(g, name, transposed(weightOf(vit, name)));
}

/** A tensor of the model as a float16 value. */
export function halfConstant(g: GraphBuilder, vit: ViT, name: string): Value {
  return narrowed(g, name, weightOf(vit, name));
}

/** A weight matrix `[outputs, inputs]` as `[inputs, outputs]`, float16. */
export function halfMatrix(g: GraphBuilder, vit: ViT, name: string): Value {
  return narrowed(g, name, transposed(weightOf(vit, name)));
}

function narrowed(g: GraphBuilder, name: string, tensor: TensorSource): Value {
  const stored = g.constant(name, tensor);
  return tensor.dtype === 'float16'
    ? stored
    : cast(g, `${name}:float16`, stored, 'float16', dtypeCode('float16'));
}

function widened(g: GraphBuilder, name: string, tensor: TensorSource): Value {
  if (tensor.dtype !== 'float16') return g.constant(name, tensor);
  const stored = g.constant(`${name}:float16`, tensor);
  return cast(g, name, stored, 'float32', dtypeCode('float32'));
}

/** A matrix read row by row and given column by column. */
function transposed(tensor: TensorSource): TensorSource {
  const [rows, columns] = tensor.dims as [number, number];
  return {
    dtype: tensor.dtype,
    dims: [columns, rows],
    read: async () => {
      const bytes = await tensor.read();
      switch (tensor.dtype) {
        case 'float32': {
          // Moved as 32-bit words: a copy through floats could change the bits of a NaN.
          const out = new Uint32Array(rows * columns);
          transposeInto(viewAs(bytes, Uint32Array), out, rows, columns);
          return new Uint8Array(out.buffer);
        }
        case 'float16': {
          const out = new Uint16Array(rows * columns);
          transposeInto(viewAs(bytes, Uint16Array), out, rows, columns);
          return new Uint8Array(out.buffer);
        }
        case 'int8': {
          const out = new Uint8Array(rows * columns);
          transposeInto(bytes, out, rows, columns);
          return out;
        }
        default:
          throw new Error(`no weight matrix is of type ${tensor.dtype}`);
      }
    },
  };
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** In tiles, so that both the read rows and the written ones stay in the cache. */
function transposeInto(from: Words, to: Words, rows: number, columns: number): void {
  const tile = 32;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows);
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const c1 = Math.min(c0 + tile, columns);
      for (let r = r0; r < r1; r++) {
        for (let c = c0; c < c1; c++) to[c * rows + r] = from[r * columns + c]!;
      }
    }
  }
}
