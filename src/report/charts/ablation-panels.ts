import type { AblationPanel } from '../../analysis/ablation/ablation.js';
import type { Analysis } from '../../analysis/analysis.js';
import { deviceLabel } from '../../analysis/label.js';
import { figureName, observationsText } from '../../text/ablation/words.js';

/**
 * The panels of an ablation that charts show: of latency and memory the largest batch size alone.
 *
 * @param analysis - of a run
 * @param wants - which of them
 */
export function shownPanels(
  { ablation }: Analysis,
  wants: (panel: AblationPanel) => boolean,
): AblationPanel[] {
  const panels = (ablation?.panels ?? []).filter(wants);
  return panels.filter(
    ({ model, device, metric, batch = 0 }) =>
      !panels.some(
        (other) =>
          other.model === model &&
          other.device === device &&
          other.metric === metric &&
          (other.batch ?? 0) > batch,
      ),
  );
}

/**
 * What a panel shows, and what its intervals rest on: `latency, batch 8 (10 rounds)`.
 *
 * @param panel - of the analysis
 * @param analysis - of the run
 */
export function panelTitle(panel: AblationPanel, analysis: Analysis): string {
  const observations = observationsText(panel.replicates);
  return `${figureName(panel)}${placeName(panel, analysis)}${observations === '' ? '' : ` (${observations})`}`;
}

/** What tells a panel from those of other models and devices: nothing where there is one of each. */
function placeName({ model, device }: AblationPanel, { run }: Analysis): string {
  const several = new Set(run.variants.map((variant) => variant.model)).size > 1;
  return `${several ? `, ${model}` : ''}${run.devices.length > 1 ? `, ${deviceLabel(device)}` : ''}`;
}
