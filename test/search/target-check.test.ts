import { describe, expect, it } from 'vitest';
import {
  distance,
  checkTarget,
  allowedFigures,
  measuredDistance,
  type Measured,
} from '../../src/search/target-check.js';
import { lossOf } from '../../src/compress/loss.js';
import { LossModel } from '../../src/search/loss.js';
import { paretoFront } from '../../src/search/pareto.js';
import { parseTarget } from '../../src/search/target.js';

const MIB = 1024 ** 2;

/** Rounds of one query each. */
const rounds = (latencies: readonly number[], mebibytes: readonly number[]) => ({
  latencies: new Map(latencies.map((value, round) => [round, [value]] as const)),
  peaks: new Map(mebibytes.map((value, round) => [round, value * MIB] as const)),
});

/** Loses 3 of 1,000 images and wins 1. */
const loss = lossOf(
  'accuracy',
  Uint16Array.from({ length: 1000 }, () => 1),
  Uint16Array.from({ length: 1000 }, (_, image) => (image === 0 ? 0 : 1)),
  Uint16Array.from({ length: 1000 }, (_, image) => (image >= 997 ? 0 : 1)),
);

const measured: Measured = {
  own: rounds([10, 20, 10.5], [20, 22, 21]),
  fp32: rounds([30, 60, 31.5], [80, 88, 84]),
  loss,
};

describe('what is lost', () => {
  it('is the difference of accuracies on the same images, and the share that changes', () => {
    expect(loss.points.value).toBeCloseTo(0.2, 12);
    expect(loss.points.low).toBeLessThan(0);
    expect(loss.points.high).toBeGreaterThan(0.4);
    expect(loss.changed).toBe(0.004);
  });

  it('is agreement where there is no truth', () => {
    const { points } = lossOf(
      'agreement',
      new Uint16Array(4),
      Uint16Array.of(1, 2, 3, 4),
      Uint16Array.of(1, 2, 3, 5),
    );
    expect(points.value).toBe(25);
    expect(points.low).toBeGreaterThan(0);
  });

  it('is judged on the images that there are predictions for', () => {
    const few = lossOf('accuracy', Uint16Array.of(1, 1, 0), Uint16Array.of(1, 1, 1), Uint16Array.of(1, 0));
    expect(few.images).toBe(2);
    expect(few.points.value).toBe(50);
  });

  it('is predicted as the sum of what changes, of which a share costs accuracy, less what overlaps', () => {
    const model = new LossModel();
    model.addSingle({ images: 1000, changed: 0.02, points: { value: 0.5, low: 0, high: 1 } });
    model.addSingle({ images: 1000, changed: 0.02, points: { value: 1.5, low: 1, high: 2 } });
    // Two points for four images in a hundred.
    expect(model.predict(0.04)).toBeCloseTo(2, 12);
    model.addTogether(0.04, { images: 1000, changed: 0.03, points: { value: 1.5, low: 1, high: 2 } });
    expect(model.predict(0.04)).toBeCloseTo(1.5, 12);
    expect(model.predict(0.02)).toBeCloseTo(0.75, 12);
  });
});

describe('a target', () => {
  const checked = (text: string) => checkTarget(parseTarget(text), measured);

  it('is held against the rounds that both were measured in', () => {
    // Each round says three times as fast, though the second was slow for both.
    expect(checked('latency=2.9x')[0]).toMatchObject({ unit: 'times', met: true, certain: true });
    expect(checked('latency=3.1x')[0]).toMatchObject({ met: false, certain: true });
    expect(checked('latency=3.1x')[0]!.estimate.value).toBeCloseTo(3, 12);
  });

  it('is met only when the estimate meets it, and says when the interval does not', () => {
    const [latency] = checked('latency=13ms');
    expect(latency!.estimate.value).toBeCloseTo(Math.cbrt(10 * 20 * 10.5), 9);
    expect(latency).toMatchObject({ met: true, certain: false });
    expect(checked('latency=12ms')[0]).toMatchObject({ met: false, certain: false });
    expect(checked('accuracy-loss=0.3pt')[0]).toMatchObject({ met: true, certain: false });
    expect(checked('accuracy-loss=0.1pt')[0]).toMatchObject({ met: false, certain: false });
    expect(checked('accuracy-loss=5pt')[0]).toMatchObject({ met: true, certain: true });
  });

  it('of memory goes by the peak of reports, and is certain only when every round keeps it', () => {
    // Each round says a quarter.
    expect(checked('memory=-75%')[0]!.estimate.value).toBeCloseTo(0.25, 12);
    expect(checked('memory=-74%')[0]).toMatchObject({ met: true, certain: true });
    expect(checked('memory=-76%')[0]).toMatchObject({ met: false, certain: true });
    expect(checked('memory=22MiB')[0]!.estimate.value / MIB).toBeCloseTo(Math.cbrt(20 * 22 * 21), 12);
    expect(checked('memory=22MiB')[0]).toMatchObject({ met: true, certain: true });
    expect(checked('memory=21MiB')[0]).toMatchObject({ met: true, certain: false });
    expect(checked('memory=20.5MiB')[0]).toMatchObject({ met: false, certain: false });
  });

  it('has a distance: shares of what is allowed, a tenth for a point, nothing for what is met', () => {
    expect(measuredDistance(checked('latency=6x,memory=-50%,accuracy-loss=0.1pt'))).toBeCloseTo(
      1 + 0.1 * 0.1,
      9,
    );
    expect(measuredDistance(checked('latency=3x,memory=-75%,accuracy-loss=0.2pt'))).toBeLessThan(1e-9);
  });

  it('allows predictions what it allows measurements', () => {
    const limits = allowedFigures(parseTarget('latency=6x,memory=-50%,accuracy-loss=0.1pt'), {
      milliseconds: 30,
      peak: 88,
    });
    expect(limits).toEqual({ milliseconds: 5, peak: 44, loss: 0.1 });
    expect(distance({ milliseconds: 10, peak: 22, loss: 0.2 }, limits)).toBeCloseTo(1.01, 9);
    const loose = allowedFigures(parseTarget('latency=20ms'), { milliseconds: 30, peak: 88 });
    expect(distance({ milliseconds: 20, peak: 1e9, loss: 100 }, loose)).toBe(0);
  });
});

describe('a Pareto front', () => {
  it('holds all that nothing beats, equals included', () => {
    const points = [
      [1, 5],
      [2, 2],
      [5, 1],
      [2, 2],
      [3, 3],
      [2, 6],
    ];
    expect(paretoFront(points, (point) => point)).toEqual([points[0], points[1], points[2], points[3]]);
  });
});
