import { max, min } from 'simple-statistics';
import type { Analysis } from '../analysis/analysis.js';
import { deviceLabel } from '../analysis/label.js';
import * as format from './format.js';
import { takeoverText } from './takeover.js';

/** What of a run a chart or a table shows, so that its caption says what that rests on. */
export interface Basis {
  /** Timed rounds. */
  readonly rounds?: true;
  /** Classified test images. */
  readonly images?: true;
  /** How its 95 % intervals are computed; left out where it shows none. */
  readonly intervals?: string;
}

/** The basis of what is known by rounds alone. */
export const MEASURED: Basis = { rounds: true, intervals: "Student's over rounds (latency, memory, ratios)" };

/** The basis of what is known by rounds and by images, such as the main table. */
export const MEASURED_AND_SCORED: Basis = {
  ...{ rounds: true, images: true },
  intervals: `${MEASURED.intervals ?? ''}, Wilson's (shares of images)`,
};

/**
 * What a chart or a table of a run rests on, as its caption says it: how many rounds, queries and images, which intervals, which devices,
 * which run.
 *
 * @param analysis - of the run
 * @param basis - what of the run it shows; left out, what depends on no measurement
 * @returns sentences
 */
export function basisText({ run, figures }: Analysis, basis: Basis = {}): string {
  const latencies = figures.flatMap((each) => each.latencies);
  const images = figures.flatMap(({ accuracy }) => (accuracy ? [accuracy.images] : []));
  const samples = latencies.flatMap((each) => [...each.samples.values()].map(({ length }) => length));
  const devices = run.devices.map(
    (device) =>
      `${deviceLabel(device)} (${device.environment.cpu.model}, ${counted([device.row.threads], 'thread')}, ${device.environment.os.distribution} ${device.environment.os.release})${takeoverText(device)}`,
  );
  const size = [
    ...(basis.rounds && latencies.length > 0
      ? [
          `${counted(
            latencies.map(({ rounds }) => rounds),
            'round',
          )} of ${counted(samples, 'query', 'queries')}`,
        ]
      : []),
    ...(basis.images && images.length > 0 ? [counted(images, 'test image')] : []),
  ];
  return [
    ...(size.length > 0 ? [`n: ${size.join('; ')}.`] : []),
    ...(basis.intervals === undefined ? [] : [`Intervals: 95 %, ${basis.intervals}.`]),
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
