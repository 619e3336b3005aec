import type { Analysis } from '../../../analysis/analysis.js';
import { acrossDevices } from '../../../analysis/figures/across-devices.js';
import * as format from '../../../text/format.js';
import { deviceLabel, variantLabel } from '../../../analysis/label.js';
import { grid } from '../grid.js';
import { html, type Markup } from '../markup.js';

/**
 * How far the devices of a run answer alike.
 *
 * @param analysis - of a run
 * @returns undefined for a run on one device
 */
export function devices(analysis: Analysis): Markup | undefined {
  const agreements = acrossDevices(analysis.run);
  const [first] = agreements;
  if (first === undefined) return undefined;
  const inOtherForm = (variant: unknown, device: unknown): boolean =>
    analysis.figures.some(
      (each) => each.variant === variant && each.device === device && each.substitutions.length > 0,
    );
  return html`<p>
      The same images with the same preprocessing: every device compared with ${deviceLabel(first.reference)}.
      If both run the same form, a cell fails when a logit differs by more than 0.5 % of the largest logit of
      its image (float32) or 10 % (quantised or float16 arithmetic). §: not the form of the recipe; the notes
      below the table of results say which.
    </p>
    ${grid(
      [
        { title: 'variant' },
        { title: 'device' },
        { title: 'images', align: 'right' },
        { title: 'same class % (95 %)', align: 'right' },
        { title: 'McNemar p', align: 'right' },
        { title: 'largest logit difference %', align: 'right' },
      ],
      agreements.map(({ variant, device, images, same, mcnemarP, difference }) => [
        `${variantLabel(variant, analysis)}${inOtherForm(variant, device) ? ' §' : ''}`,
        deviceLabel(device),
        format.integer(images),
        format.share(same),
        mcnemarP === undefined ? '' : format.pValue(mcnemarP),
        format.significant(difference * 100, 2),
      ]),
    )}`;
}
