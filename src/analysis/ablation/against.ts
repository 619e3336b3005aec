import { InputError } from '../../base/errors.js';
import { didYouMean } from '../../base/similar.js';
import type { StoredFloor } from '../../store/floors.js';
import type { StoredCell, StoredRun } from '../../store/read.js';
import { floorsFor } from '../compare/floors.js';
import type { Judgement } from '../compare/judge.js';
import { judgeWithin } from '../compare/within.js';

/** How a cell of a variant differs from that of another in the same scenario. */
export interface AgainstReference {
  readonly cell: StoredCell;
  readonly judgement: Judgement;
}

/**
 * Holds every variant of a run against one of them, with Holm's correction over all of a figure: as reports do with the baseline.
 *
 * @param run - the stored run
 * @param reference - name of the recipe that others of the same model are held against
 * @param floors - what its devices can tell, the newest first
 * @returns by cell, in the order they are stored
 * @throws InputError when the run has no such variant
 */
export function judgedAgainst(
  run: StoredRun,
  reference: string,
  floors: readonly StoredFloor[],
): AgainstReference[] {
  const names = [...new Set(run.variants.map(({ recipe }) => recipe))];
  if (!names.includes(reference))
    throw new InputError({
      source: 'reference',
      found: `${reference}, which is no variant of run ${run.row.id}${didYouMean(reference, names)}`,
      expected: `one of ${names.join(', ')}`,
    });
  const done = run.cells.filter(({ row }) => row.status === 'done');
  const pairs = done.flatMap((cell) => {
    if (cell.variant.recipe === reference) return [];
    const other = done.find(
      ({ row, variant, device }) =>
        variant.recipe === reference &&
        variant.model === cell.variant.model &&
        device === cell.device &&
        row.kind === cell.row.kind &&
        row.batch === cell.row.batch,
    );
    return other ? [{ cell, baseline: other }] : [];
  });
  const judged = judgeWithin(pairs, run, floorsFor(run, floors));
  return pairs.flatMap(({ cell }) => (judged.get(cell) ?? []).map((judgement) => ({ cell, judgement })));
}
