import type { Analysis } from '../../../analysis/analysis.js';
import * as format from '../../../text/format.js';
import { variantLabel } from '../../../analysis/label.js';
import { sizesOf } from '../../../analysis/figures/size.js';
import { stagesOf, type StageSummary } from '../../../analysis/stages.js';
import type { Variant } from '../../../analysis/model.js';
import { facts } from '../grid.js';
import { html, unbroken, type Content, type Markup } from '../markup.js';
import { stageContent } from './stages.js';

/** Where the page of a variant lies. */
export interface VariantLink {
  readonly variant: Variant;
  readonly path: string;
}

/**
 * What the recipe of each variant did, stage by stage.
 *
 * @param analysis - of a run
 * @param pages - of its variants, where there are any
 */
export function recipes(analysis: Analysis, pages: readonly VariantLink[] = []): Markup {
  return html`${analysis.run.variants.map((variant) => {
    const stages = stagesOf(variant);
    const sizes = sizesOf(variant);
    const size = unbroken(
      sizes === undefined
        ? 'could not be compressed'
        : `${format.parameters(sizes.parameters)} parameters, ${format.mebibytes(sizes.fileBytes)} on disk`,
    );
    const own = pages.find((each) => each.variant === variant);
    return html`<h3>${variantLabel(variant, analysis)}</h3>
      ${own ? html`<p class="onscreen"><a href="${own.path}">Layer by layer</a></p>` : undefined}
      <p>
        ${variant.description}
        <span class="soft"
          >${size}${
            variant.micro_batch === null
              ? ''
              : `; a batch is split into parts of ${variant.micro_batch} images`
          }.</span
        >
      </p>
      ${
        stages.length > 0
          ? html`<ol class="stages">
              ${stages.map(stageItem)}
            </ol>`
          : undefined
      } `;
  })}`;
}

function stageItem(stage: StageSummary): Markup {
  const { parameters, constantBytes, seconds, options } = stage;
  const facets = [
    seconds === undefined ? undefined : `took ${format.seconds(seconds)}`,
    parameters === undefined ? undefined : `${format.parameters(parameters)} parameters after it`,
    constantBytes === undefined ? undefined : `${format.mebibytes(constantBytes)} of constants after it`,
  ].filter((text) => text !== undefined);
  const rows = Object.entries(options).map(
    ([name, value]) => [name, html`<code>${JSON.stringify(value)}</code>`] as const,
  );
  return html`<li>
    <b>${stage.stage}</b> <span class="soft">${unbroken(facets.join('; '))}</span> ${did(stage)}
    ${
      rows.length > 0
        ? html`<details>
            <summary>options</summary>
            ${facts(rows)}
          </details>`
        : undefined
    }
  </li> `;
}

function did({ facts: known }: StageSummary): Content {
  if (known === undefined) return html`<p>This version of EdgeFlex cannot read what this stage recorded.</p>`;
  return stageContent(known);
}
