import type { Analysis } from '../analysis.js';
import { variantLabel } from '../label.js';
import { stagesOf, type OwnSummary, type StageSummary } from '../stages.js';

/** A stage of a variant and where charts show it. */
export interface PlacedStage<Own extends OwnSummary = OwnSummary> {
  /** The variant, with the stage's place in the recipe where a recipe has several of the kind. */
  readonly panel: string;
  readonly stage: StageSummary;
  readonly own: Own;
}

/**
 * All stages of one kind in a run's recipes, by variant.
 *
 * @param analysis - of a run
 * @param kind - which stages
 */
export function stagesOfKind<Kind extends OwnSummary['kind']>(
  analysis: Analysis,
  kind: Kind,
): PlacedStage<Extract<OwnSummary, { kind: Kind }>>[] {
  type Own = Extract<OwnSummary, { kind: Kind }>;
  return analysis.run.variants.flatMap((variant) => {
    const label = variantLabel(variant, analysis);
    const found = stagesOf(variant).flatMap((stage, index) =>
      stage.own.kind === kind ? [{ stage, own: stage.own as Own, place: index + 1 }] : [],
    );
    return found.map(({ place, ...each }) => ({
      ...each,
      panel: found.length > 1 ? `${label}, stage ${place}` : label,
    }));
  });
}
