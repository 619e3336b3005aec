import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { binary, fastGelu, gelu, halves, quickGelu, unary } from '../../onnx/ops.js';
import type { ViTConfig } from '../config.js';

/** What CLIP multiplies by within the sigmoid (arXiv 1606.08415, section 2). */
const QUICK = 1.702;

/**
 * Adds what stands between the two layers of an MLP.
 *
 * @param g - the graph
 * @param name - prefix of the nodes
 * @param config - the architecture
 * @param x - `[rows, fc1's outputs]`
 * @param on - whose kernels are to run it: the tanh approximation has one of its own on WebGPU
 * @returns `[rows, fc2's inputs]`
 */
export function emitActivation(
  g: GraphBuilder,
  name: string,
  { activation = 'gelu' }: ViTConfig,
  x: Value,
  on: 'cpu' | 'webgpu',
): Value {
  switch (activation) {
    case 'gelu':
      return gelu(g, `${name}.gelu`, x);
    case 'gelu-tanh':
      return on === 'webgpu' ? fastGelu(g, `${name}.gelu`, x) : gelu(g, `${name}.gelu`, x, 'tanh');
    case 'quick-gelu':
      return quickGelu(g, `${name}.gelu`, x, QUICK);
    case 'silu':
      return quickGelu(g, `${name}.silu`, x, 1);
    case 'relu':
      return unary(g, 'Relu', `${name}.relu`, x);
    case 'swiglu': {
      const [gate, value] = halves(g, `${name}.fc1`, x);
      return binary(g, 'Mul', `${name}.swiglu`, quickGelu(g, `${name}.silu`, gate, 1), value);
    }
  }
}
