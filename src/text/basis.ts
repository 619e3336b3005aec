import { max, min } from 'simple-statistics';
import type { Analysis } from '../analysis/analysis.js';
import { deviceLabel } from '../analysis/label.js';
import * as format from './format.js';
import { takeoverText } from './takeover.js';

/**
 * What the figures of a run rest on, as captions say it: how many rounds, queries and images, which intervals, which devices, which run.
 *
 * @param analysis - of the run
 * @returns sentences
 */
export function basisText({ run, figures }: Analysis): string {
  const latencies = figures.flatMap((each) => each.latencies);
  const images = figures.flatMap(({ accuracy }) => (accuracy ? [accuracy.images] : []));
  const samples = latencies.flatMap((each) => [...each.samples.values()].map(({ length }) => length));
  const devices = run.devices.map(
    (device) =>
      `${deviceLabel(device)} (${device.environment.cpu.model}, ${counted([device.row.threads], 'thread')}, ${device.environment.os.distribution} ${device.environment.os.release})${takeoverText(device)}`,
  );
  const size = [
    ...(latencies.length > 0
      ? [
          `${counted(
            latencies.map(({ rounds }) => rounds),
            'round',
          )} of ${counted(samples, 'query', 'queries')}`,
        ]
      : []),
    ...(images.length > 0 ? [counted(images, 'test image')] : []),
  ];
  return [
    ...(size.length > 0 ? [`n: ${size.join('; ')}.`] : []),
    "Intervals: 95 %, Student's over rounds (latency, memory, ratios), Wilson's (shares of images).",
    `${run.devices.length === 1 ? 'Device' : 'Devices'}: ${devices.join('; ')}.`,
    `Run ${run.row.id}, EdgeFlex ${run.row.version}.`,
  ].join(' ');
}

/** `5 rounds`, `1 round`, `30–49 queries`. */
function counted(counts: readonly number[], one: string, many = `${one}s`): string {
  const [least, most] = [min([...counts]), max([...counts])];
  if (least !== most) return `${format.integer(least)}–${format.integer(most)} ${many}`;
  return `${format.integer(least)} ${least === 1 ? one : many}`;
}
