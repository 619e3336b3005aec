import type { TensorSource } from '../onnx/tensor.js';
import { gridOf, relativeDistances, type ViTConfig } from './config.js';
import { computed, floats } from './derived.js';

/** Weight `[outputs, inputs]` and bias of a layer. */
interface Layer {
  readonly weight: TensorSource;
  readonly bias: TensorSource;
}

/**
 * The numbers that a small MLP (with ReLU) gives for distances between patches, read from the logarithms of how many patches one lies
 * below and to the right of the other, as timm's `RelPosMlp` has it (after Swin V2, arXiv 2111.09883, section 3.3). A token before the
 * patches has zeros.
 *
 * @param config - an architecture with relative positions
 * @param mlp - two layers: 2 → any → heads
 * @returns `[heads, distances]`
 */
export function madeDistances(config: ViTConfig, { fc1, fc2 }: Record<'fc1' | 'fc2', Layer>): TensorSource {
  const count = relativeDistances(config);
  const { height, width } = gridOf(config);
  const [ways, across] = [(2 * height - 1) * (2 * width - 1), 2 * width - 1];
  return computed([config.heads, count], async () => {
    const [w1, b1] = [await floats(fc1.weight), await floats(fc1.bias)];
    const [w2, b2] = [await floats(fc2.weight), await floats(fc2.bias)];
    const out = new Float32Array(config.heads * count);
    for (let at = 0; at < ways; at++) {
      const down = logarithm(Math.floor(at / across) - height + 1);
      const right = logarithm((at % across) - width + 1);
      const hidden = b1.map((bias, h) =>
        Math.max(0, bias + (w1[2 * h] ?? 0) * down + (w1[2 * h + 1] ?? 0) * right),
      );
      for (const [head, bias] of b2.entries())
        out[head * count + at] = hidden.reduce(
          (sum, value, h) => sum + value * (w2[head * hidden.length + h] ?? 0),
          bias,
        );
    }
    return out;
  });
}

function logarithm(distance: number): number {
  return Math.sign(distance) * Math.log1p(Math.abs(distance));
}
