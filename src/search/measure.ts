import { defined } from '../base/defined.js';
import type { Device } from '../device/device.js';
import { peakOfProbe, probe, type Probed, type ProbeBounds } from '../run/probe.js';
import { interleaved } from '../run/task-runner.js';

/** What a model took, by round: the rounds of all that were measured together are the same. */
export interface Rounds {
  /** Latencies of a batch, in milliseconds. */
  readonly latencies: ReadonlyMap<number, readonly number[]>;
  /** Peaks over the runtime's base, in bytes. */
  readonly peaks: ReadonlyMap<number, number>;
}

/** What measuring in turn needs. */
export interface Turns {
  readonly device: Device;
  readonly rounds: number;
  readonly bounds: ProbeBounds;
  /** Determines the order. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told how far it is, from 0 to 1. */
  readonly onProgress: (done: number) => void;
}

/**
 * Measures models in turn: in each round every one once, in a fresh agent and a new random order, so that what disturbs the device
 * disturbs all alike.
 *
 * @param items - the models
 * @param turns - where, how often and how long
 * @returns for each model, in order
 * @throws DeviceError when an agent fails; the signal's reason when it fires
 */
export async function measureInTurn(items: readonly Probed[], turns: Turns): Promise<Rounds[]> {
  const { device, rounds, bounds, seed, signal, onProgress } = turns;
  const results = items.map((probed) => ({
    probed,
    latencies: new Map<number, readonly number[]>(),
    peaks: new Map<number, number>(),
  }));
  for (const { item, round, done } of interleaved(results, rounds, seed, signal)) {
    onProgress(done);
    const measurement = await probe(device, item.probed, { kind: 'performance', ...bounds }, signal);
    item.latencies.set(round, measurement.latencies);
    item.peaks.set(round, peakOfProbe(measurement));
  }
  return results.map(({ latencies, peaks }) => ({ latencies, peaks }));
}

/**
 * Rounds that were measured before, and one more.
 *
 * @param before - undefined where it is the first
 * @param next - a single round, numbered 0
 * @param round - the number it gets
 */
export function joined(before: Rounds | undefined, next: Rounds, round: number): Rounds {
  return {
    latencies: new Map([
      ...(before?.latencies ?? []),
      [round, defined(next.latencies.get(0), 'latencies of a round')],
    ]),
    peaks: new Map([...(before?.peaks ?? []), [round, defined(next.peaks.get(0), 'the peak of a round')]]),
  };
}
