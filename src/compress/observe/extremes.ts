import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { reduce, unary } from '../../onnx/ops.js';
import type { BlockValueName, BlockValues } from '../../vit/graph/block.js';
import { numbers, type Tap } from './taps.js';

/**
 * Observes the largest absolute value of some of a block's values.
 *
 * @param names - which values
 */
export function extremeTap(names: readonly BlockValueName[]): Tap<ReadonlyMap<BlockValueName, number>> {
  const output = (name: BlockValueName): string => `tap:${name}:extreme`;
  const extremes = new Map<BlockValueName, number>(names.map((name) => [name, 0]));
  return {
    emit(g: GraphBuilder, values: BlockValues): Value[] {
      return names.map((name) =>
        reduce(g, 'ReduceMax', output(name), unary(g, 'Abs', `tap:${name}:size`, values[name])),
      );
    },
    add(outputs) {
      for (const name of names)
        extremes.set(name, Math.max(extremes.get(name)!, numbers(outputs, output(name))[0]!));
    },
    result: () => extremes,
  };
}
