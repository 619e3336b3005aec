import { batch } from '../../onnx/dims.js';
import { reduce, reshape } from '../../onnx/ops.js';
import type { LinearRole } from '../../vit/linears.js';
import { joined } from './joined.js';
import { numbers, type Tap } from './taps.js';

/**
 * Observes the mean over an image's tokens of what a linear reads, for every image.
 *
 * @param role - which linear of the block
 * @param tokens - how many tokens of an image it reads
 * @returns a tap that gives `[images, inputs]`
 */
export function imageMeansTap(role: LinearRole, tokens: number): Tap<Float64Array> {
  const name = (what: string): string => `tap:${role}:images:${what}`;
  const batches: Float32Array[] = [];
  return {
    emit(g, values) {
      const rows = values[role];
      const width = rows.dims[1] as number;
      const images = reshape(g, name('tokens'), rows, [batch, tokens, width]);
      return [reduce(g, 'ReduceMean', name('means'), images, [1])];
    },
    add(outputs) {
      batches.push(numbers(outputs, name('means')));
    },
    result: () => Float64Array.from(joined(batches)),
  };
}
