import type { z } from 'zod';
import { html, type Markup } from '../../../report/html/markup.js';
import { overview as words } from '../../../text/dashboard/runs.js';
import type { fleetDeviceSchema } from '../../api/catalogue.js';
import { runLink } from '../links.js';
import { ago, stateMark } from '../parts.js';
import { list, type ListColumn } from '../table.js';

/** A device of a worker. */
export type FleetDevice = z.output<typeof fleetDeviceSchema>;

/**
 * Devices of workers with what they do.
 *
 * @param label - what the table is of
 * @param devices - in order
 * @param more - columns beside those that every list of them has
 */
export function deviceList(
  label: string,
  devices: readonly FleetDevice[],
  more: readonly ListColumn<FleetDevice>[] = [],
): Markup {
  return list<FleetDevice>(
    label,
    [
      { key: 'device', title: words.device, of: ({ name }) => name },
      {
        key: 'state',
        title: words.state,
        wide: true,
        of: ({ state, reason }) =>
          html`${stateMark(state)}${reason === null ? '' : html` <span class="soft">${reason}</span>`}`,
      },
      {
        key: 'job',
        title: words.job,
        of: ({ job }) =>
          job === null ? '' : html`<a href="${runLink(job.replace(/\/\d+$/, ''))}">${job}</a>`,
      },
      { key: 'worker', title: words.worker, of: ({ worker }) => worker },
      { key: 'seen', title: words.seen, of: ({ seenAt }) => ago(seenAt) },
      ...more,
    ],
    devices,
  );
}

/**
 * Puts a device into a list of devices, in the place of what was known of it.
 *
 * @param devices - changed; by worker and name
 * @param device - as it is now
 */
export function keepDevice(devices: Map<string, FleetDevice>, device: FleetDevice): void {
  devices.set(deviceKey(device), device);
}

/** What tells devices apart: two workers may have one of the same name. */
export function deviceKey({ worker, name }: Pick<FleetDevice, 'worker' | 'name'>): string {
  return `${worker}\n${name}`;
}
