import type { Substitution } from '../base/substitution.js';
import { oneLine } from './format.js';

/**
 * In what a device's form of a variant differs from what its recipe asks for, in one line.
 *
 * @param substitutions - at least one
 */
export function substitutionsText(substitutions: readonly Substitution[]): string {
  return substitutions.map(substitutionText).join('; ');
}

function substitutionText(substitution: Substitution): string {
  switch (substitution.kind) {
    case 'weights-only':
      return 'W8 instead of W8A8: the same int8 weights in MatMulNBits, since WebGPU has no kernels for int8 inputs';
    case 'float16-linears':
      return substitution.computedIn === 'float16'
        ? 'linears stored as float16 are computed in float16'
        : 'linears stored as float16 are computed in float32, since the adapter has no shader-f16';
    case 'text':
      return oneLine(substitution.text);
  }
}
