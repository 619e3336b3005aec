import type { Analysis, VariantFigures } from '../../../analysis/analysis.js';
import * as format from '../../../text/format.js';
import { labelOf } from '../../../analysis/label.js';
import { grid } from '../grid.js';
import { html, type Markup } from '../markup.js';

/**
 * The kernels that really ran, by variant.
 *
 * @param analysis - of a run
 */
export function kernels(analysis: Analysis): Markup {
  const listed = analysis.figures.flatMap((figures) => {
    const [slowest] = figures.kernels;
    return slowest === undefined ? [] : [{ figures, slowest }];
  });
  if (listed.length === 0) return html`<p>This run listed no kernels.</p>`;
  return html`<p>
      From the runtime's own profiler, in a pass of its own: the times hold its overhead and serve for
      comparing kernels with each other. "GPU ms" is the GPU's own clock (timestamp queries); beside it, "ms"
      is only what it took to hand the work over. Without that column the adapter has no timestamps. A variant
      whose quantised linears did not run as quantised kernels, or not on the execution provider that was
      asked for, is a failed cell, not a slow one.
    </p>
    ${listed.map(
      ({ figures, slowest }) =>
        html`<details>
          <summary>
            ${labelOf(figures, analysis)}, one query of batch ${figures.kernelBatch}: ${slowest.opType}
            ${format.percent(slowest.share)} %
          </summary>
          ${grid(
            [
              { title: 'kernel' },
              { title: 'ran on' },
              { title: 'calls', align: 'right' },
              { title: 'ms', align: 'right' },
              ...(onGpu(figures) ? [{ title: 'GPU ms', align: 'right' as const }] : []),
              { title: 'share %', align: 'right' },
            ],
            figures.kernels.map(({ opType, provider, calls, milliseconds, gpuMilliseconds, share }) => [
              html`<code>${opType}</code>`,
              provider,
              calls,
              format.milliseconds(milliseconds),
              ...(onGpu(figures) ? [format.milliseconds(gpuMilliseconds ?? NaN)] : []),
              format.percent(share),
            ]),
          )}
        </details> `,
    )}`;
}

function onGpu({ kernels: listed }: VariantFigures): boolean {
  return listed.some(({ gpuMilliseconds }) => gpuMilliseconds !== undefined);
}
