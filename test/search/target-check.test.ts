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

/** The same, where the four images that change are expected to cost other than they do. */
const expecting = (value: number, low: number, high: number): Measured => ({
  ...measured,
  loss: { ...loss, expected: { value, low, high } },
});

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

  it('is predicted as the sum of what is lost alone, times what was learned of it', () => {
    const model = new LossModel();
    expect([0, 2, 200].map((sum) => model.predict(sum))).toEqual([0, 2, 100]);
    model.addTogether(0, expecting(0.1, 0, 1).loss);
    expect(model.predict(2)).toBe(2);
    // Of 4 points that were lost alone 3 are lost together: by expectation, and where there is none, as counted.
    model.addTogether(2.5, expecting(2.7, 2, 3).loss);
    model.addTogether(1.5, loss);
    expect(model.predict(2)).toBeCloseTo(1.5, 12);
    expect(model.predict(1)).toBeCloseTo(0.75, 12);
    expect(model.predict(0)).toBe(0);
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

  it('of accuracy is met by what is expected and what is counted, and is as certain as what is expected', () => {
    // Four images that change, of which two more become wrong than right: counted, that is 0.2 points and could be 0.6 or none.
    const of = (goal: string, loses: Measured) => checkTarget(parseTarget(`accuracy-loss=${goal}pt`), loses);
    const [little, much] = [expecting(0.1, 0.04, 0.25), expecting(0.4, 0.35, 0.5)];
    expect(of('0.3', little)[0]).toMatchObject({
      ...{ met: true, certain: true, counted: loss.points },
      estimate: { value: 0.1, low: 0.04, high: 0.25 },
    });
    expect(of('0.22', little)[0]).toMatchObject({ met: true, certain: false });
    // Counted, it is more than that.
    expect(of('0.15', little)[0]).toMatchObject({ met: false, certain: false });
    expect(measuredDistance(of('0.15', little))).toBeCloseTo(0.1 * 0.05, 12);
    expect(of('0.02', little)[0]).toMatchObject({ met: false, certain: true });
    expect(measuredDistance(of('0.02', little))).toBeCloseTo(0.1 * 0.18, 12);
    // Expected, it is more than that.
    expect(of('0.3', much)[0]).toMatchObject({ met: false, certain: true });
    expect(of('0.38', much)[0]).toMatchObject({ met: false, certain: false });
    expect(measuredDistance(of('0.3', much))).toBeCloseTo(0.1 * 0.1, 12);
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
