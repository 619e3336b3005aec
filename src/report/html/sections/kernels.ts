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
      From the runtime's profiler, in a separate pass: the times include its overhead and only serve to
      compare kernels with each other. "GPU ms" is the GPU's own clock (timestamp queries); "ms" is then only
      the time to submit the work. If that column is missing, the adapter has no timestamps. If the quantised
      linear layers of a variant did not run as quantised kernels, or not on the requested execution provider,
      its cell has failed rather than being slow.
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
