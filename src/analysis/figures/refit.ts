import { hashJson } from '../../base/hash.js';
import { findStage } from '../../compress/registry.js';
import type { Estimate } from '../../stats/interval.js';
import { mcnemar, pairedDifference, pairedOutcomes } from '../../stats/mcnemar.js';
import type { StoredCell, StoredDevice, StoredRun } from '../../store/read.js';
import type { VariantRow } from '../../store/tables.js';
import { stagesOf } from '../stages.js';
import { accuracyOf, isScored } from './accuracy.js';

/** What a head gave that was fitted anew behind a recipe, on the same images. */
export interface RefitEffect {
  /** The variant whose head was fitted anew. */
  readonly variant: VariantRow;
  /** The one that is like it but for the head. */
  readonly without: VariantRow;
  readonly device: StoredDevice;
  readonly images: number;
  /** Share of right answers of each, with Wilson's interval. */
  readonly before: Estimate;
  readonly after: Estimate;
  /** What the new head gave: a difference of shares, with Tango's interval. */
  readonly change: Estimate;
  /** Exact McNemar test of the two. */
  readonly mcnemarP: number;
}

/**
 * What heads that were fitted anew behind a recipe gave: of each variant that ends with a new head, against the one that is made by the
 * same steps without it, or with its head corrected in its place.
 *
 * @param run - the stored run
 * @returns by device, then in the suite's order; none where no such pair was scored
 */
export function refitEffects(run: StoredRun): RefitEffect[] {
  return run.devices.flatMap((device) =>
    run.variants.flatMap((variant) => {
      const without = counterpartOf(variant, run);
      if (without === undefined) return [];
      const [own, other] = [scoredCell(variant, device, run), scoredCell(without, device, run)];
      const effect = own && other && effectOf(own, other);
      return effect ? [{ variant, without, device, ...effect }] : [];
    }),
  );
}

/** The variant of the same model that was made by the same steps but for what they do to the head at their end. */
function counterpartOf(variant: VariantRow, run: StoredRun): VariantRow | undefined {
  const steps = stagesOf(variant);
  if (steps.at(-1)?.facts?.traits.includes('head-refitted') !== true) return undefined;
  const before = stepsKey(steps.slice(0, -1));
  const others = run.variants.filter(
    (other) =>
      other !== variant && other.model === variant.model && other.micro_batch === variant.micro_batch,
  );
  const corrects = ({ stage }: (typeof steps)[number]): boolean =>
    findStage(stage)?.classifier === 'corrects';
  return (
    others.find((other) => stepsKey(stagesOf(other)) === before) ??
    others.find((other) => stepsKey(stagesOf(other).filter((step) => !corrects(step))) === before)
  );
}

function stepsKey(steps: ReturnType<typeof stagesOf>): string {
  return hashJson(steps.map(({ stage, options }) => ({ stage, options })));
}

function scoredCell(
  variant: VariantRow,
  device: StoredDevice,
  { cells, data }: StoredRun,
): StoredCell | undefined {
  if (!isScored(variant, data)) return undefined;
  return cells.find(
    ({ row, ...cell }) =>
      cell.variant === variant && cell.device === device && row.kind === 'accuracy' && row.status === 'done',
  );
}

function effectOf(
  own: StoredCell,
  other: StoredCell,
): Pick<RefitEffect, 'images' | 'before' | 'after' | 'change' | 'mcnemarP'> | undefined {
  const [mine, theirs] = [own.predictions, other.predictions];
  if (mine === undefined || theirs?.labels.length !== mine.labels.length) return undefined;
  const [after, before] = [own, other].map((cell) => accuracyOf(cell, undefined, true)?.top1);
  if (before === undefined || after === undefined) return undefined;
  const images = mine.labels.length;
  const outcomes = pairedOutcomes(mine.labels, mine.predicted, theirs.predicted);
  const { value, low, high } = pairedDifference(outcomes, images);
  return {
    ...{ images, before, after, mcnemarP: mcnemar(outcomes) },
    change: { value: value / 100, low: low / 100, high: high / 100 },
  };
}
