import type { Substitution } from '../../base/substitution.js';
import type { GraphTarget } from '../../base/target.js';
import { linearNames } from '../linears.js';
import { formCounts, formOf, weightOf, type ViT } from '../vit.js';

/** What a model becomes when its graph is written for a target. */
export interface TargetForm {
  /** How often a run must execute the kernels that the model's quantised linears stand for. */
  readonly kernels: Readonly<Record<string, number>>;
  /** In what the graph differs from what the recipe asks for; empty when in nothing. */
  readonly substitutions: readonly Substitution[];
}

/**
 * The form in which a target runs a model.
 *
 * @param vit - the model
 * @param target - what its graph is written for
 */
export function targetForm(vit: ViT, target: GraphTarget): TargetForm {
  const { int8, qdq, dynamic, blockwise } = formCounts(vit);
  const patches = vit.bytePatches === undefined ? 0 : 1;
  if (target === 'cpu') {
    const kernels = {
      MatMulIntegerToFloat: int8 + patches,
      // What is written as QDQ must have been fused, or it ran in float.
      QGemm: qdq,
      DynamicQuantizeMatMul: dynamic,
      MatMulNBits: blockwise,
    };
    return { kernels, substitutions: [] };
  }
  const integer = int8 + qdq + dynamic;
  const half = halfLinears(vit);
  const substitutions: Substitution[] = [];
  if (integer > 0) substitutions.push({ kind: 'weights-only', linears: integer });
  if (half > 0) {
    const computedIn = target === 'webgpu-f16' ? 'float16' : 'float32';
    substitutions.push({ kind: 'float16-linears', linears: half, computedIn });
  }
  return { kernels: { MatMulNBits: integer + blockwise }, substitutions };
}

/** How many linears are stored as float16. */
function halfLinears(vit: ViT): number {
  return linearNames(vit.config).filter(
    (name) => formOf(vit, name).kind === 'float' && weightOf(vit, `${name}.weight`).dtype === 'float16',
  ).length;
}
