import { geometricMean } from '../../stats/geometric.js';
import type { Estimate } from '../../stats/interval.js';
import { quantileEstimate } from '../../stats/quantile.js';
import { precisions, type NodeWork, type Precision, type ProductShape } from '../../store/node-work.js';
import type { CeilingSubject, StoredCeiling, StoredRoofline } from '../../store/rooflines.js';

/** A ceiling is what the fastest tenth of all executions reaches: the best, but not a single lucky one. */
const FASTEST = 0.1;

/** A ceiling: what a device does at best of one product or stream. */
export interface Ceiling {
  readonly subject: CeilingSubject;
  /** Operations (a multiplication and an addition are two) or bytes, each second; undefined when it could not be measured. */
  readonly perSecond: Estimate | undefined;
  readonly executions: number;
  /** Why it could not be measured. */
  readonly failure: StoredCeiling['failure'];
}

/** The least time that a node's work takes at the ceilings. */
export interface LeastTime {
  readonly milliseconds: number;
  /** What takes that long: the arithmetic, or moving the bytes. */
  readonly bound: 'arithmetic' | 'memory';
}

/** How many operations a number of multiplications are, with their additions. */
export function operationsOf(multiplications: number): number {
  return 2 * multiplications;
}

/**
 * What a roofline says, from its raw times: the fastest tenth of the executions of all rounds, with the distribution-free
 * interval of that quantile.
 *
 * @param roofline - as it is stored
 */
export function ceilingsOf({ ceilings }: StoredRoofline): Ceiling[] {
  return ceilings.map(({ subject, rounds, failure }) => {
    // A time of 0 is one that the clock does not resolve.
    const times = rounds.flat().filter((milliseconds) => milliseconds > 0);
    if (times.length === 0) return { subject, perSecond: undefined, executions: 0, failure };
    const amount = subject.kind === 'stream' ? subject.bytes : operationsOf(multiplicationsOf(subject.shape));
    const { value, low, high } = quantileEstimate(times, FASTEST);
    const rate = (milliseconds: number): number => (amount / milliseconds) * 1000;
    const perSecond = { value: rate(value), low: rate(high), high: rate(low) };
    return { subject, perSecond, executions: times.length, failure };
  });
}

/** How fast the linears of ViTs run in a precision, beside float32. */
export interface PrecisionSpeed {
  readonly precision: Precision;
  /** So many times as fast: the geometric mean over the shapes, from the least to the most that the intervals of any shape allow. */
  readonly speedup: Estimate;
}

/**
 * The precisions in the order of what they gain on a device, from its ceilings at the same shapes.
 *
 * @param roofline - as it is stored
 * @returns the fastest first, without float32; without those that were not measured at every shape, and empty where the times are an
 *   emulator's or a software GPU's
 */
export function precisionSpeeds(roofline: StoredRoofline): PrecisionSpeed[] {
  const { emulated, gpu } = roofline.setting.environment;
  if (emulated === true || gpu?.software === true) return [];
  const ceilings = ceilingsOf(roofline);
  const floats = ceilings.filter(
    ({ subject }) => subject.kind === 'product' && subject.precision === 'float32',
  );
  return precisions
    .filter((precision) => precision !== 'float32')
    .flatMap((precision): PrecisionSpeed[] => {
      const ratios = floats.flatMap(({ subject, perSecond: float }) => {
        const own = ceilings.find((each) => isSameProduct(each.subject, subject, precision))?.perSecond;
        if (own === undefined || float === undefined) return [];
        return { value: own.value / float.value, low: own.low / float.high, high: own.high / float.low };
      });
      if (ratios.length === 0 || ratios.length < floats.length) return [];
      return [
        {
          precision,
          speedup: {
            value: geometricMean(ratios.map(({ value }) => value)).value,
            low: Math.min(...ratios.map(({ low }) => low)),
            high: Math.max(...ratios.map(({ high }) => high)),
          },
        },
      ];
    })
    .sort((a, b) => b.speedup.value - a.speedup.value);
}

/** Whether a subject is another product of the same shape, in a precision. */
function isSameProduct(subject: CeilingSubject, other: CeilingSubject, precision: Precision): boolean {
  if (subject.kind !== 'product' || other.kind !== 'product' || subject.precision !== precision) return false;
  return shapeDistance(subject.shape, other.shape) === 0;
}

/** Multiplications of a product. */
function multiplicationsOf({ rows, inner, columns }: ProductShape): number {
  return rows * inner * columns;
}

/**
 * The least time for a node's work by the roofline model (Williams, Waterman, Patterson, "Roofline: an insightful visual
 * performance model for multicore architectures", CACM 2009): the longer of what its operations take at the ceiling of their
 * precision at the nearest shape, and what its bytes take at the bandwidth for nearly so many.
 *
 * @param work - of the node
 * @param ceilings - of the device
 * @returns undefined where the ceiling of its precision, or every bandwidth, is not known
 */
export function leastTime({ product, bytes }: NodeWork, ceilings: readonly Ceiling[]): LeastTime | undefined {
  const arithmetic = product && arithmeticTime(product, ceilings);
  const memory = memoryTime(bytes, ceilings);
  if (memory === undefined || (product && arithmetic === undefined)) return undefined;
  return arithmetic !== undefined && arithmetic >= memory
    ? { milliseconds: arithmetic, bound: 'arithmetic' }
    : { milliseconds: memory, bound: 'memory' };
}

function arithmeticTime(
  { precision, shape, multiplications }: NonNullable<NodeWork['product']>,
  ceilings: readonly Ceiling[],
): number | undefined {
  const nearest = nearestOf(ceilings, (subject) =>
    subject.kind === 'product' && subject.precision === precision
      ? shapeDistance(subject.shape, shape)
      : undefined,
  );
  return nearest && (operationsOf(multiplications) / nearest) * 1000;
}

function memoryTime(bytes: number, ceilings: readonly Ceiling[]): number | undefined {
  if (bytes === 0) return 0;
  const nearest = nearestOf(ceilings, (subject) =>
    subject.kind === 'stream' ? Math.abs(Math.log(subject.bytes / bytes)) : undefined,
  );
  return nearest && (bytes / nearest) * 1000;
}

/** The rate of the nearest ceiling that is known. */
function nearestOf(
  ceilings: readonly Ceiling[],
  distanceOf: (subject: CeilingSubject) => number | undefined,
): number | undefined {
  let best: { readonly rate: number; readonly distance: number } | undefined;
  for (const { subject, perSecond } of ceilings) {
    const distance = distanceOf(subject);
    if (distance === undefined || perSecond === undefined) continue;
    if (best === undefined || distance < best.distance) best = { rate: perSecond.value, distance };
  }
  return best?.rate;
}

/** How far apart two shapes are: the root of the squared logarithms of what their sides differ by. */
function shapeDistance(a: ProductShape, b: ProductShape): number {
  return Math.hypot(...(['rows', 'inner', 'columns'] as const).map((side) => Math.log(a[side] / b[side])));
}

/** How a precision is called. */
export const precisionNames: Readonly<Record<Precision, string>> = {
  float32: 'FP32',
  float16: 'FP16',
  int8: 'INT8',
  w8: 'W8',
  w4: 'W4',
};
