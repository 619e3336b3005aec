import * as format from '../format.js';
import type { Metric } from '../../base/metric.js';
import { wordFor, type Judgement } from '../../analysis/compare/judge.js';

/**
 * A judgement in plain words: `3.1 % slower (2.4 to 3.8 %)`, `no difference seen: between 1.2 % faster and 4.0 % slower`.
 *
 * @param judgement - what is to be said
 */
export function inWords(judgement: Judgement): string {
  const { metric, change, p, floor, significant, verdict } = judgement;
  const { value, low, high } = change;
  if (low === 0 && high === 0) return metric === 'accuracy' ? 'the same answers' : 'identical';
  const size = `${amount(metric, Math.abs(value))} ${wordFor(metric, value)}`;
  if (p === undefined) return size;
  const holdsNone = low <= 0 && high >= 0;
  const effect = `${size} (${holdsNone ? range(metric, low, high) : span(metric, low, high)})`;
  if (!significant)
    return holdsNone
      ? `no difference seen: ${range(metric, low, high)}`
      : `${effect} on its own, but not after correction for the number of figures`;
  return verdict === 'not distinguishable'
    ? `${effect}, below the minimum detectable effect of this device (${amount(metric, floor ?? 0)})`
    : effect;
}

/** The size of a change: `3.1 %`, `0.30 points`, of a cosine `0.00120`. */
export function amount(metric: Metric, size: number): string {
  if (metric === 'cosine') return format.cosineValue(size);
  return metric === 'accuracy' ? `${points(size)} points` : `${percent(size)} %`;
}

/** A value in its metric's unit: `16.9 ms`, `15.3 MiB`, `83.19 %`. */
export function quantity(metric: Metric, value: number): string {
  switch (metric) {
    case 'latency':
    case 'p90':
      return `${format.milliseconds(value)} ms`;
    case 'memory':
    case 'file':
      return format.mebibytes(value);
    case 'accuracy':
      return `${format.percent(value, 2)} %`;
    case 'cosine':
      return format.cosineValue(value);
    case 'rate':
      return `${format.significant(value)} queries/s`;
    case 'throughput':
      return `${format.significant(value)} images/s`;
  }
}

/** What a metric is called in a sentence. */
export const metricNames: Readonly<Record<Metric, string>> = {
  latency: 'latency',
  p90: 'p90 of the latency',
  memory: 'peak memory',
  accuracy: 'accuracy',
  cosine: 'cosine to fp32',
  file: 'file size',
  rate: 'highest rate',
  throughput: 'offline throughput',
};

/** An interval on both sides of nothing. */
function range(metric: Metric, low: number, high: number): string {
  const [first, last] = [low, high].map(
    (end) => `${amount(metric, Math.abs(end))} ${wordFor(metric, end === 0 ? high : end)}`,
  ) as [string, string];
  return `between ${first} and ${last}`;
}

/** An interval on one side of nothing, the smaller end first: `2.4 to 3.8 %`. */
function span(metric: Metric, low: number, high: number): string {
  const [near, far] = [Math.abs(low), Math.abs(high)].sort((a, b) => a - b) as [number, number];
  if (metric === 'cosine') return `${format.cosineValue(near)} to ${format.cosineValue(far)}`;
  return metric === 'accuracy'
    ? `${points(near)} to ${points(far)}`
    : `${percent(near)} to ${percent(far)} %`;
}

function percent(share: number): string {
  return format.percent(share, share < 0.001 ? 2 : 1);
}

function points(share: number): string {
  return format.percent(share, 2);
}
