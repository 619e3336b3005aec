import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { pruneOptionsSchema } from '../../src/compress/prune/options.js';
import { formats, quantizeOptionsSchema } from '../../src/compress/quantize/options.js';
import type { Step } from '../../src/compress/stage.js';
import { float32 } from '../../src/onnx/tensor.js';
import { weightOf, withWeights, type ViT } from '../../src/vit/vit.js';
import { copyOf } from './support.js';

/**
 * A model with the elements of some tensors changed.
 *
 * @param vit - the model
 * @param changes - what to do with a copy of each tensor's elements
 */
export async function changed(
  vit: ViT,
  changes: Readonly<Record<string, (values: Float32Array) => void>>,
): Promise<ViT> {
  let current = vit;
  for (const [name, change] of Object.entries(changes)) {
    const values = await copyOf(current, name);
    change(values);
    current = withWeights(current, [[name, float32(weightOf(current, name).dims, values)]]);
  }
  return current;
}

/** Every stage, with the searches that look at the numbers. */
const steps: readonly Step[] = [
  { stage: 'profile', options: profileOptionsSchema.parse({ images: 8 }) },
  { stage: 'prune', options: pruneOptionsSchema.parse({ images: 8, ratio: 0.5 }) },
  {
    stage: 'prune',
    options: pruneOptionsSchema.parse({
      ...{ images: 8, ratio: 0.5, importance: 'magnitude', compensation: 'none', allocation: 'uniform' },
    }),
  },
  { stage: 'precision', options: precisionOptionsSchema.parse({ images: 8 }) },
  ...formats.map((format): Step => ({
    stage: 'quantize',
    options: quantizeOptionsSchema.parse({ images: 8, rows: 32, format }),
  })),
];
/** They by name. */
export const named = steps.map(
  (step) => [`${step.stage} ${'format' in step.options ? String(step.options.format) : ''}`, step] as const,
);
