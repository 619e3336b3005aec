import type { Analysis, VariantFigures } from '../../analysis/analysis.js';
import type { LatencyFigures } from '../../analysis/figures/latency.js';
import { deviceLabel, variantLabel } from '../../analysis/label.js';

/** A timed cell and where charts show it. */
export interface PlacedCell {
  readonly figures: VariantFigures;
  readonly latency: LatencyFigures;
  /** Name of the series: the variant. */
  readonly variant: string;
  /** Name of the panel: the batch size, and the device where there are several. */
  readonly panel: string;
}

/** All timed cells of a run, and the series and panels they make up, in order. */
export interface Placement {
  readonly cells: readonly PlacedCell[];
  readonly variants: string[];
  readonly panels: string[];
}

/**
 * Lays out the timed cells of a run: a panel for each device and batch size, a series for each variant.
 *
 * @param analysis - of a run
 */
export function placeCells(analysis: Analysis): Placement {
  const several = analysis.run.devices.length > 1;
  const cells = analysis.figures.flatMap((figures) =>
    figures.latencies.map((latency): PlacedCell => {
      const batch = `batch ${latency.batch}`;
      return {
        figures,
        latency,
        variant: variantLabel(figures.variant, analysis),
        panel: several ? `${deviceLabel(figures.device)}, ${batch}` : batch,
      };
    }),
  );
  const places = new Map<string, { device: number; batch: number }>();
  for (const { figures, latency, panel } of cells)
    places.set(panel, { device: analysis.run.devices.indexOf(figures.device), batch: latency.batch });
  const panels = [...places]
    .sort(([, a], [, b]) => a.device - b.device || a.batch - b.batch)
    .map(([panel]) => panel);
  return { cells, variants: seriesOf(analysis), panels };
}

/** Every variant of a run by its label, in the suite's order, so that a series has the same colour in every chart. */
function seriesOf(analysis: Analysis): string[] {
  return analysis.run.variants.map((variant) => variantLabel(variant, analysis));
}
