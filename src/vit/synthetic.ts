import { seededRandom } from '../base/random.js';
import { square, type Size } from '../base/size.js';
import { elementCount, float32, type TensorSource } from '../onnx/tensor.js';
import type { ViTConfig } from './config.js';
import { weightShapes, type ViT } from './vit.js';

/** Sizes of the ViT paper (arXiv 2010.11929, table 1) and of DeiT (arXiv 2012.12877, table 1) for tiny and small. */
const sizes = {
  'vit-tiny': { hiddenSize: 192, layers: 12, heads: 3, mlpSize: 768, patchSize: 16 },
  'vit-small': { hiddenSize: 384, layers: 12, heads: 6, mlpSize: 1536, patchSize: 16 },
  'vit-base': { hiddenSize: 768, layers: 12, heads: 12, mlpSize: 3072, patchSize: 16 },
  'vit-large': { hiddenSize: 1024, layers: 24, heads: 16, mlpSize: 4096, patchSize: 16 },
  'vit-huge': { hiddenSize: 1280, layers: 32, heads: 16, mlpSize: 5120, patchSize: 14 },
} as const;

/** Names of the architectures that can be made from a seed. */
export type SyntheticName = keyof typeof sizes;

/** The names of `SyntheticName`, for messages and schemas. */
export const syntheticNames = Object.keys(sizes) as SyntheticName[];

/**
 * A ViT with random weights: of use for speed and memory, which do not depend on their values, never for accuracy.
 * A tensor's elements are made anew each time it is read, so a model of any size takes no memory.
 *
 * @param name - the architecture
 * @param seed - determines every weight
 * @param imageSize - sides of the input in pixels
 * @param labels - class names
 */
export function syntheticViT(
  name: SyntheticName,
  seed: number,
  imageSize: Size,
  labels: readonly string[],
): ViT {
  const { layers, mlpSize, patchSize, ...size } = sizes[name];
  const config: ViTConfig = {
    ...size,
    imageSize,
    patchSize: square(patchSize),
    channels: 3,
    mlpSizes: Array.from({ length: layers }, () => mlpSize),
    layerNormEpsilon: 1e-12,
    distilled: false,
    labels,
  };
  const weights = new Map<string, TensorSource>();
  let index = 0;
  for (const [tensor, dims] of weightShapes(config)) {
    const tensorSeed = seed * 0x10001 + index++;
    weights.set(tensor, {
      dtype: 'float32',
      dims,
      read: () => float32(dims, elements(tensor, elementCount(dims), tensorSeed)).read(),
    });
  }
  return { config, weights, forms: new Map() };
}

/** Standard deviation 0.02 as ViTs are initialised with; uniform, because only the spread matters here. */
function elements(name: string, count: number, seed: number): Float32Array {
  const out = new Float32Array(count);
  if (/norm\d?\.weight$/.test(name)) return out.fill(1);
  const random = seededRandom(seed);
  const width = 0.02 * Math.sqrt(12);
  for (let i = 0; i < count; i++) out[i] = (random.uniform() - 0.5) * width;
  return out;
}
