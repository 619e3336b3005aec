import { viewAs } from '../../src/onnx/tensor.js';
import { layerCount } from '../../src/vit/config.js';
import { weightOf, type ViT } from '../../src/vit/vit.js';
import { multiply, transpose } from '../compress/reference.js';

/** What distillation adds to a model. */
export interface Distillation {
  /** `[hidden]` each. */
  readonly token: Float32Array;
  readonly position: Float32Array;
  /** `[classes, hidden]` and `[classes]`. */
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/**
 * The logits of a distilled DeiT (Touvron et al., arXiv 2012.12877, section 4), computed in float64 by the textbook.
 *
 * @param vit - the model without distillation
 * @param distillation - what is added to it
 * @param pixels - `[images, channels, size, size]`
 * @param images - how many
 * @param epsilon - of the norms
 * @returns `[images, classes]`
 */
export async function distilledLogits(
  vit: ViT,
  distillation: Distillation,
  pixels: Float32Array,
  images: number,
  epsilon: number,
): Promise<Float64Array> {
  const { hiddenSize: width, heads, channels, labels } = vit.config;
  const {
    patchSize: { height: patchSize },
    imageSize: { height: imageSize },
  } = vit.config;
  const side = imageSize / patchSize;
  const weights = new Map<string, Float32Array>();
  for (const name of vit.weights.keys())
    weights.set(name, viewAs(await weightOf(vit, name).read(), Float32Array));
  const w = (name: string): Float32Array => weights.get(name)!;
  const dense = (x: Float64Array, weight: Float32Array, bias: Float32Array): Float64Array => {
    const inputs = weight.length / bias.length;
    const product = multiply(x, transpose(weight, bias.length), inputs);
    return product.map((value, index) => value + bias[index % bias.length]!);
  };
  const linear = (x: Float64Array, name: string): Float64Array =>
    dense(x, w(`${name}.weight`), w(`${name}.bias`));
  const norm = (x: Float64Array, name: string): Float64Array => {
    const out = new Float64Array(x.length);
    for (let row = 0; row < x.length; row += width) {
      const values = x.subarray(row, row + width);
      const mean = values.reduce((sum, value) => sum + value, 0) / width;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
      for (let i = 0; i < width; i++)
        out[row + i] =
          ((values[i]! - mean) / Math.sqrt(variance + epsilon)) * w(`${name}.weight`)[i]! +
          w(`${name}.bias`)[i]!;
    }
    return out;
  };
  const logits = new Float64Array(images * labels.length);
  for (let image = 0; image < images; image++) {
    const tokens = side * side + 2;
    let x = new Float64Array(tokens * width);
    const positions = w('positions');
    for (let i = 0; i < width; i++) {
      x[i] = w('cls')[i]! + positions[i]!;
      x[width + i] = distillation.token[i]! + distillation.position[i]!;
    }
    for (let patch = 0; patch < side * side; patch++) {
      const [top, left] = [Math.floor(patch / side) * patchSize, (patch % side) * patchSize];
      const cut: number[] = [];
      for (let c = 0; c < channels; c++)
        for (let row = 0; row < patchSize; row++)
          for (let column = 0; column < patchSize; column++)
            cut.push(pixels[((image * channels + c) * imageSize + top + row) * imageSize + left + column]!);
      const projected = linear(Float64Array.from(cut), 'patch');
      for (let i = 0; i < width; i++)
        x[(patch + 2) * width + i] = projected[i]! + positions[(patch + 1) * width + i]!;
    }
    for (let layer = 0; layer < layerCount(vit.config); layer++) {
      const at = `layers.${layer}`;
      const read = norm(x, `${at}.norm1`);
      const mixed = attend(
        linear(read, `${at}.q`),
        linear(read, `${at}.k`),
        linear(read, `${at}.v`),
        tokens,
        heads,
      );
      const o = linear(mixed, `${at}.o`);
      x = x.map((value, i) => value + o[i]!);
      const hidden = linear(norm(x, `${at}.norm2`), `${at}.fc1`).map((value) => value * normalBelow(value));
      const fc2 = linear(hidden, `${at}.fc2`);
      x = x.map((value, i) => value + fc2[i]!);
    }
    const last = norm(x.slice(0, 2 * width), 'norm');
    const first = linear(last.slice(0, width), 'head');
    const second = dense(last.slice(width), distillation.weight, distillation.bias);
    for (let c = 0; c < labels.length; c++) logits[image * labels.length + c] = (first[c]! + second[c]!) / 2;
  }
  return logits;
}

function attend(
  q: Float64Array,
  k: Float64Array,
  v: Float64Array,
  tokens: number,
  heads: number,
): Float64Array {
  const width = q.length / tokens;
  const size = width / heads;
  const out = new Float64Array(q.length);
  for (let head = 0; head < heads; head++)
    for (let i = 0; i < tokens; i++) {
      const scores = Array.from({ length: tokens }, (_, j) => {
        let dot = 0;
        for (let d = head * size; d < (head + 1) * size; d++) dot += q[i * width + d]! * k[j * width + d]!;
        return dot / Math.sqrt(size);
      });
      const most = Math.max(...scores);
      const shares = scores.map((score) => Math.exp(score - most));
      const sum = shares.reduce((total, share) => total + share, 0);
      for (let j = 0; j < tokens; j++)
        for (let d = head * size; d < (head + 1) * size; d++)
          out[i * width + d]! += (shares[j]! / sum) * v[j * width + d]!;
    }
  return out;
}

/** Φ, the normal distribution function, by its Taylor series (Abramowitz & Stegun, 26.2.10). */
function normalBelow(x: number): number {
  if (Math.abs(x) > 6) return x > 0 ? 1 : 0;
  let [term, sum] = [x, x];
  for (let n = 1; n < 200; n++) {
    term *= (-x * x * (2 * n - 1)) / (2 * n * (2 * n + 1));
    sum += term;
  }
  return 0.5 + sum / Math.sqrt(2 * Math.PI);
}
