import type { GraphTarget } from '../../base/target.js';
import { linearNames } from '../linears.js';
import { formCounts, formOf, weightOf, type ViT } from '../vit.js';

/** What a model becomes when its graph is written for a target. */
export interface TargetForm {
  /** How often a run must execute the kernels that the model's quantised linears stand for. */
  readonly kernels: Readonly<Record<string, number>>;
  /** In what the graph differs from what the recipe asks for, in words; undefined when in nothing. */
  readonly instead: string | undefined;
}

/**
 * The form in which a target runs a model.
 *
 * @param vit - the model
 * @param target - what its graph is written for
 */
export function targetForm(vit: ViT, target: GraphTarget): TargetForm {
  const { int8, qdq, dynamic, blockwise } = formCounts(vit);
  if (target === 'cpu') {
    const kernels = {
      MatMulIntegerToFloat: int8,
      // What is written as QDQ must have been fused, or it ran in float.
      QGemm: qdq,
      DynamicQuantizeMatMul: dynamic,
      MatMulNBits: blockwise,
    };
    return { kernels, instead: undefined };
  }
  const integer = int8 + qdq + dynamic;
  const differences: string[] = [];
  if (integer > 0)
    differences.push(
      'W8 instead of W8A8: the same int8 weights in MatMulNBits, since WebGPU has no kernels for int8 inputs',
    );
  if (hasHalfLinears(vit))
    differences.push(
      target === 'webgpu-f16'
        ? 'linears stored as float16 are computed in float16'
        : 'linears stored as float16 are computed in float32, since the adapter has no shader-f16',
    );
  return { kernels: { MatMulNBits: integer + blockwise }, instead: differences.join('; ') || undefined };
}

function hasHalfLinears(vit: ViT): boolean {
  return linearNames(vit.config).some(
    (name) => formOf(vit, name).kind === 'float' && weightOf(vit, `${name}.weight`).dtype === 'float16',
  );
}
