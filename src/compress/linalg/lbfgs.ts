/** A differentiable function of some numbers. */
export type Objective = (at: Float64Array) => Promise<{
  readonly value: number;
  /** As many numbers as the function is of. */
  readonly gradient: Float64Array;
}>;

/** When a search ends, and what it remembers. */
export interface SearchBounds {
  /** The largest component of the gradient, in absolute terms, at which the minimum counts as found. */
  readonly tolerance: number;
  readonly maxIterations: number;
}

/** Where a search ended. */
export interface Minimum {
  readonly at: Float64Array;
  readonly value: number;
  /** The largest component of the gradient there, in absolute terms. */
  readonly gradient: number;
  readonly iterations: number;
  /** Whether the gradient is within the tolerance. */
  readonly converged: boolean;
}

/** Pairs of steps and changes of the gradient that are remembered. */
const MEMORY = 10;

/** Of the slope along a direction: what a step must gain at least, and how much of the slope may be left behind it. */
const SUFFICIENT = 1e-4;
const CURVATURE = 0.9;

/** Values that differ by less than this, relative to their size, differ by rounding alone. */
const ROUNDING = 1e-14;

/** Halvings and doublings of a step: after as many its ends are neighbours. */
const MOST_TRIALS = 60;

interface Point {
  readonly at: Float64Array;
  readonly value: number;
  readonly gradient: Float64Array;
}

/** A step, the change of the gradient along it, and their product. */
interface Pair {
  readonly step: Float64Array;
  readonly change: Float64Array;
  readonly product: number;
}

/**
 * The minimum of a smooth convex function by limited-memory BFGS (Nocedal & Wright, "Numerical Optimization", 2nd ed., algorithms 7.4 and
 * 7.5), each step by bisection for the weak Wolfe conditions (Lewis & Overton, Mathematical Programming 141, 2013, section 4.1). Nothing
 * in it is random: the same function gives the same bits.
 *
 * @param objective - the function
 * @param start - where to begin
 * @param precondition - applies what stands for the inverse of the Hessian before anything is known of it
 * @param bounds - when to end
 */
export async function minimise(
  objective: Objective,
  start: Float64Array,
  precondition: (gradient: Float64Array) => Promise<Float64Array>,
  { tolerance, maxIterations }: SearchBounds,
): Promise<Minimum> {
  let point: Point = { at: start, ...(await objective(start)) };
  const pairs: Pair[] = [];
  let iterations = 0;
  const ended = (): boolean => largest(point.gradient) <= tolerance;
  while (!ended() && iterations < maxIterations) {
    const direction = await descent(point.gradient, pairs, precondition);
    const next = await stepAlong(objective, point, direction);
    // No step gains any more: what is left of the gradient is rounding.
    if (next === undefined) break;
    const step = difference(next.at, point.at);
    const change = difference(next.gradient, point.gradient);
    const product = dot(step, change);
    if (product > 0) pairs.push({ step, change, product });
    if (pairs.length > MEMORY) pairs.shift();
    point = next;
    iterations += 1;
  }
  const { at, value, gradient } = point;
  return { at, value, gradient: largest(gradient), iterations, converged: ended() };
}

/** The two-loop recursion: minus the inverse of the Hessian, as the pairs know it, times the gradient. */
async function descent(
  gradient: Float64Array,
  pairs: readonly Pair[],
  precondition: (gradient: Float64Array) => Promise<Float64Array>,
): Promise<Float64Array> {
  const left = gradient.slice();
  const shares = pairs.map(() => 0);
  for (let i = pairs.length - 1; i >= 0; i--) {
    const { step, change, product } = pairs[i]!;
    shares[i] = dot(step, left) / product;
    add(left, change, -shares[i]!);
  }
  const last = pairs.at(-1);
  const direction = await precondition(left);
  if (last !== undefined) {
    const scale = last.product / dot(last.change, await precondition(last.change));
    for (let j = 0; j < direction.length; j++) direction[j]! *= scale;
  }
  for (const [i, { step, change, product }] of pairs.entries())
    add(direction, step, shares[i]! - dot(change, direction) / product);
  return direction.map((value) => -value);
}

/** @returns undefined where no step along the direction gains anything */
async function stepAlong(
  objective: Objective,
  { at, value, gradient }: Point,
  direction: Float64Array,
): Promise<Point | undefined> {
  const slope = dot(gradient, direction);
  if (!(slope < 0)) return undefined;
  let [low, high, size] = [0, Infinity, 1];
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    const next = at.slice();
    add(next, direction, size);
    const reached: Point = { at: next, ...(await objective(next)) };
    const allowed = value + SUFFICIENT * size * slope + ROUNDING * Math.abs(value);
    if (!(reached.value <= allowed)) high = size;
    else if (dot(reached.gradient, direction) < CURVATURE * slope) low = size;
    else return reached;
    size = high === Infinity ? 2 * low : (low + high) / 2;
  }
  return undefined;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** `to + scale · values`, in place. */
function add(to: Float64Array, values: Float64Array, scale: number): void {
  for (let i = 0; i < to.length; i++) to[i]! += scale * values[i]!;
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function largest(values: Float64Array): number {
  let most = 0;
  // What is no number is larger than any tolerance.
  for (const value of values) most = Number.isNaN(value) ? Infinity : Math.max(most, Math.abs(value));
  return most;
}
