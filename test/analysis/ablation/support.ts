import type { Design } from '../../../src/base/design.js';
import type { Db } from '../../../src/store/open.js';
import { findRun, loadRun, type StoredRun } from '../../../src/store/read.js';
import type { CellRow } from '../../../src/store/tables.js';
import {
  endCell,
  endRun,
  insertRound,
  insertRun,
  upsertCell,
  upsertDevice,
  upsertVariant,
} from '../../../src/store/write.js';
import { environment, fullMeasurement, newRun, placeOf } from '../../support/rows.js';

const MIB = 2 ** 20;

/** What is measured of a variant. */
export interface Measured {
  /** Milliseconds of a query in a round; undefined where the round does not exist. */
  milliseconds(round: number): number | undefined;
  readonly mebibytes?: number;
  readonly fileBytes?: number;
  /** Of each test image, whether the answer is right. */
  readonly right?: readonly boolean[];
  readonly failed?: boolean;
}

/** The variants of a design by the levels that they stand for, without repeats. */
function recipesOf({ points }: Design): Map<string, readonly number[]> {
  const recipes = new Map<string, readonly number[]>();
  for (const { recipe, levels } of points) if (!recipes.has(recipe)) recipes.set(recipe, levels);
  return recipes;
}

/**
 * Stores a run with a design, on one device at batch 4.
 *
 * @param db - the store
 * @param design - of the run
 * @param rounds - of each timed cell
 * @param measured - what each variant measures
 */
export async function storeAblation(
  db: Db,
  design: Design,
  rounds: number,
  measured: (recipe: string, levels: readonly number[]) => Measured,
): Promise<StoredRun> {
  const id = 'ablation-1';
  await insertRun(db, newRun(id, { suite: 'ablation', design_json: JSON.stringify(design) }));
  const device_id = await upsertDevice(db, {
    ...{ run_id: id, name: 'here', profile_json: '{}', threads: 2 },
    environment_json: JSON.stringify(environment),
  });
  for (const [position, [recipe, levels]] of [...recipesOf(design)].entries()) {
    const own = measured(recipe, levels);
    const variant = await upsertVariant(db, {
      ...{ run_id: id, position, model: 'micro', recipe, description: '', synthetic: 0, artifact: recipe },
      ...{ file_bytes: own.fileBytes ?? 1000, parameters: 250, micro_batch: null, stages_json: '[]' },
    });
    const right = own.right ?? [true];
    const images = Uint8Array.from(right, () => 1);
    const cellOf = (kind: CellRow['kind'], count: number): Promise<CellRow> =>
      upsertCell(db, {
        ...{ run_id: id, variant_id: variant.id, device_id, kind, batch: 4, tier: null, rounds: count },
        ...{ status: 'pending', reason: null },
      });
    const peak = (own.mebibytes ?? 20) * MIB;
    const timed = await cellOf('performance', rounds);
    for (let round = 0; round < rounds; round++) {
      const typical = own.milliseconds(round);
      if (typical === undefined || own.failed) continue;
      const measurement = fullMeasurement({
        phases: [
          { phase: 'prepare', milliseconds: 1, memory: { resident: 100 * MIB } },
          { phase: 'load', milliseconds: 1, memory: { peakResident: 100 * MIB + peak / 2 } },
          { phase: 'first', milliseconds: 1, memory: { peakResident: 100 * MIB + peak } },
          { phase: 'steady', milliseconds: 1, memory: { peakResident: 100 * MIB + peak } },
        ],
        ...{ conditions: [], logits: [], kernels: [], trials: [] },
        latencies: [0.99, 1, 1.02].map((factor) => typical * factor),
      });
      await insertRound(db, placeOf(timed, round), measurement, images, false);
    }
    await endCell(
      db,
      timed.id,
      own.failed ? 'failed' : 'done',
      own.failed ? { kind: 'agent-failed', text: 'it broke' } : null,
    );
    const scored = await cellOf('accuracy', 1);
    const values = Float32Array.from(right.flatMap((isRight) => (isRight ? [0, 1] : [1, 0])));
    const answers = fullMeasurement({
      ...{ conditions: [], kernels: [], trials: [], phases: [] },
      logits: [{ first: 0, classes: 2, values }],
    });
    await insertRound(db, placeOf(scored), answers, images, true);
    await endCell(db, scored.id, 'done', null);
  }
  await endRun(db, id, '2026-11-22T10:20:00.000Z');
  return loadRun(db, await findRun(db, id));
}

/** A design of factors with two levels each, off and on: full, or with the points that are given. */
export function switches(
  names: readonly string[],
  kind: Design['kind'],
  points: readonly (readonly number[])[],
): Design {
  return {
    kind,
    factors: names.map((name) => ({ name, kind: 'stage', levels: ['off', 'on'] })),
    points: points.map((levels) => ({ levels, recipe: nameOf(names, levels) })),
  };
}

function nameOf(names: readonly string[], levels: readonly number[]): string {
  return names.filter((_, index) => levels[index] === 1).join('+') || 'fp32';
}
