import type { Random } from '../../base/random.js';
import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { gather } from '../../onnx/ops.js';
import type { Engine, Tensor } from '../../runtime/engine.js';
import { numbers, type Tap } from './taps.js';

/** Some token rows of a linear's input, for searches that try many candidates on them. */
export interface RowSample {
  readonly rows: number;
  /** `[rows, inputs]`. */
  readonly values: Float32Array;
}

/**
 * Samples rows of the inputs of some linears, drawn anew from every batch: the same rows for all that read as many.
 *
 * @param engine - makes the index tensor
 * @param roles - which linears of the block, or what else is called by its name
 * @param count - rows to sample in all (rounded up to the same number from each batch)
 * @param batches - how many batches there will be
 * @param rowsPerBatch - token rows of a batch that a linear reads
 * @param random - where the choice comes from
 */
export function sampleTap<Role extends string>(
  engine: Engine,
  roles: readonly Role[],
  count: number,
  batches: number,
  rowsPerBatch: (role: Role) => number,
  random: Random,
): Tap<Readonly<Record<Role, RowSample>>, Role> {
  const heights = new Set(roles.map(rowsPerBatch));
  const picked = (height: number): number => Math.min(height, Math.ceil(count / batches));
  const indicesOf = (height: number): string => `tap:sample:indices:${height}`;
  const name = (role: Role): string => `tap:${role}:sample`;
  const parts = new Map<Role, Float32Array[]>(roles.map((role) => [role, []]));
  return {
    emit(g: GraphBuilder, values: Readonly<Record<Role, Value>>): Value[] {
      const indices = new Map(
        [...heights].map((height) => [height, g.input(indicesOf(height), 'int64', [picked(height)])]),
      );
      return roles.map((role) => gather(g, name(role), values[role], indices.get(rowsPerBatch(role))!, 0));
    },
    feeds() {
      const feeds: Record<string, Tensor> = {};
      for (const height of heights) {
        const length = picked(height);
        const indices = BigInt64Array.from({ length }, () => BigInt(random.integer(height)));
        feeds[indicesOf(height)] = engine.tensor('int64', indices, [length]);
      }
      return feeds;
    },
    add(outputs) {
      for (const role of roles) parts.get(role)!.push(numbers(outputs, name(role)));
    },
    result() {
      const sampleOf = (role: Role): RowSample => {
        const chunks = parts.get(role)!;
        const values = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
        let at = 0;
        for (const chunk of chunks) {
          values.set(chunk, at);
          at += chunk.length;
        }
        return { rows: picked(rowsPerBatch(role)) * chunks.length, values };
      };
      return Object.fromEntries(roles.map((role) => [role, sampleOf(role)])) as Record<Role, RowSample>;
    },
  };
}
