import type { FactPicture } from '../../compress/facts.js';
import type { Analysis } from '../../analysis/analysis.js';
import { variantLabel } from '../../analysis/label.js';
import { stagesOf } from '../../analysis/stages.js';

/** What there is to draw of a stage of a variant, and where. */
export interface PlacedPicture<Picture extends FactPicture = FactPicture> {
  /** The variant, with the stage's place in the recipe where a recipe has several that draw the same. */
  readonly panel: string;
  readonly picture: Picture;
}

/**
 * All pictures of one kind that the stages of a run's recipes give, by variant.
 *
 * @param analysis - of a run
 * @param kind - which pictures
 */
export function picturesOfKind<Kind extends FactPicture['kind']>(
  analysis: Analysis,
  kind: Kind,
): PlacedPicture<Extract<FactPicture, { kind: Kind }>>[] {
  type Picture = Extract<FactPicture, { kind: Kind }>;
  return analysis.run.variants.flatMap((variant) => {
    const label = variantLabel(variant, analysis);
    const found = stagesOf(variant).flatMap(({ facts }, index) =>
      (facts?.pictures ?? [])
        .filter((picture): picture is Picture => picture.kind === kind)
        .map((picture) => ({ picture, place: index + 1 })),
    );
    return found.map(({ place, picture }) => ({
      picture,
      panel: found.length > 1 ? `${label}, stage ${place}` : label,
    }));
  });
}
