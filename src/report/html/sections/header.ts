import type { Analysis } from '../../../analysis/analysis.js';
import * as format from '../../../text/format.js';
import { deviceLabel } from '../../../analysis/label.js';
import { facts } from '../grid.js';
import { html, type Markup } from '../markup.js';
import { restrictionText } from '../../../text/environment.js';

/** A section of the page: where links lead and what they are called. */
export interface SectionLink {
  readonly id: string;
  readonly title: string;
}

/**
 * The top of the page: what was measured, on what, and when.
 *
 * @param analysis - of a run
 * @param links - the sections that follow
 */
export function header(analysis: Analysis, links: readonly SectionLink[]): Markup {
  const { run } = analysis;
  const { row, data, devices } = run;
  const models = [
    ...new Set(
      run.variants.map(({ model, synthetic }) => `${model}${synthetic ? ' (synthetic weights)' : ''}`),
    ),
  ];
  const images = Math.max(0, ...analysis.figures.map(({ accuracy }) => accuracy?.images ?? 0));
  return html`<header>
    <p class="soft">EdgeFlex report</p>
    <h1>${row.suite}: ${plural(run.variants.length, 'variant')} of ${models.join(', ')}</h1>
    <p>
      EdgeFlex compresses a Vision Transformer and measures what that changes: the accuracy, the time for a
      batch of images, and the peak memory of the process. All variants of a model were made from the same
      weights and measured in the same run, each time in a fresh process; <b>fp32</b> is the original model,
      with which the others are compared.
    </p>
    ${facts([
      [
        'measured on',
        devices.map(
          (device) =>
            html`${deviceText(device.environment)}, ${plural(device.row.threads, 'thread')} (device profile
              ${deviceLabel(device)})<br />`,
        ),
      ],
      ['scored on', images > 0 ? html`${format.integer(images)} test images of ${data.name}` : undefined],
      ['when', html`${format.moment(row.started_at)}, ${durationText(row.started_at, row.ended_at)}`],
      ['run', html`<code>${row.id}</code>`],
      ['command', html`<code>${row.command}</code>`],
    ])}
    <nav>${links.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
  </header>`;
}

function deviceText({
  cpu,
  memoryBytes,
  os,
  virtual,
  browser,
}: Analysis['run']['devices'][number]['environment']): string {
  const memory = memoryBytes === null ? '' : `${(memoryBytes / 1024 ** 3).toFixed(0)} GiB, `;
  const restriction = restrictionText(cpu);
  const cores = `${cpu.physicalCores === null ? 'an unknown number of cores' : plural(cpu.physicalCores, 'core')}${restriction === undefined ? '' : ` (usable: ${restriction})`}`;
  return `${browser ? `${browser.product} on ` : ''}${cpu.model}, ${cores}, ${memory}${os.distribution} ${os.release}${virtual ? ', virtual machine or container' : ''}`;
}

function durationText(start: string, end: string | null): string {
  if (end === null) return 'not finished';
  return `took ${format.seconds((Date.parse(end) - Date.parse(start)) / 1000)}`;
}

function plural(count: number, what: string): string {
  return `${format.integer(count)} ${what}${count === 1 ? '' : 's'}`;
}
