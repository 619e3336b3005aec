import type { Random } from '../../base/random.js';
import type { GraphBuilder, Value } from '../../onnx/builder.js';
import { gather } from '../../onnx/ops.js';
import type { Engine } from '../../runtime/engine.js';
import type { BlockValues } from '../../vit/graph/block.js';
import type { LinearRole } from '../../vit/linears.js';
import { numbers, type Tap } from './taps.js';

/** Some token rows of a linear's input, for searches that try many candidates on them. */
export interface RowSample {
  readonly rows: number;
  /** `[rows, inputs]`. */
  readonly values: Float32Array;
}

/**
 * Samples rows of the inputs of some linears: the same rows for each, drawn anew from every batch.
 *
 * @param engine - makes the index tensor
 * @param roles - which linears of the block
 * @param count - rows to sample in all (rounded up to the same number from each batch)
 * @param batches - how many batches there will be
 * @param rowsPerBatch - token rows of a batch
 * @param random - where the choice comes from
 */
export function sampleTap<Role extends LinearRole>(
  engine: Engine,
  roles: readonly Role[],
  count: number,
  batches: number,
  rowsPerBatch: number,
  random: Random,
): Tap<Readonly<Record<Role, RowSample>>> {
  const perBatch = Math.min(rowsPerBatch, Math.ceil(count / batches));
  const INDICES = 'tap:sample:indices';
  const name = (role: Role): string => `tap:${role}:sample`;
  const parts = new Map<Role, Float32Array[]>(roles.map((role) => [role, []]));
  return {
    emit(g: GraphBuilder, values: BlockValues): Value[] {
      const indices = g.input(INDICES, 'int64', [perBatch]);
      return roles.map((role) => gather(g, name(role), values[role], indices, 0));
    },
    feeds() {
      const indices = BigInt64Array.from({ length: perBatch }, () => BigInt(random.integer(rowsPerBatch)));
      return { [INDICES]: engine.tensor('int64', indices, [perBatch]) };
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
        return { rows: perBatch * chunks.length, values };
      };
      return Object.fromEntries(roles.map((role) => [role, sampleOf(role)])) as Record<Role, RowSample>;
    },
  };
}
