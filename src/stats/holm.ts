/**
 * Adjusts the p-values of a family of tests so that the probability of even one false alarm among them stays below the level at
 * which the adjusted values are read, whatever their dependence (Holm, Scandinavian Journal of Statistics 1979): the i-th
 * smallest of m is multiplied by m − i + 1, and none is smaller than one before it.
 *
 * @param ps - p-values, 0 … 1, in any order
 * @returns the adjusted ones in the same order, none above 1
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a]! - ps[b]!);
  const adjusted = new Array<number>(ps.length);
  let largest = 0;
  order.forEach((index, position) => {
    largest = Math.max(largest, Math.min(1, (ps.length - position) * ps[index]!));
    adjusted[index] = largest;
  });
  return adjusted;
}
