import type { Analysis } from '../../../analysis/analysis.js';
import * as format from '../../../text/format.js';
import { deviceLabel } from '../../../analysis/label.js';
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
    <p class="soft">
      ${images > 0 ? `Scored on ${format.integer(images)} test images of ${data.name}. ` : undefined}Measured
      ${format.moment(row.started_at)}, ${durationText(row.started_at, row.ended_at)}, on
      ${devices.map(
        (device, index) =>
          html`${index > 0 ? '; ' : ''}<b>${deviceLabel(device)}</b>: ${deviceText(device.environment)},
          ${plural(device.row.threads, 'thread')}`,
      )}. <b>fp32</b> is the original model, with which the others are compared.
    </p>
    <nav aria-label="Sections">${links.map(({ id, title }) => html`<a href="#${id}">${title}</a> `)}</nav>
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
