/** How the coefficients of a linear model follow from responses. */
export interface LinearFit {
  /** Indices of the columns that have a coefficient, in order. */
  readonly kept: readonly number[];
  /** `[kept columns, rows]`: a coefficient is the sum of the responses by these weights. */
  readonly weights: readonly (readonly number[])[];
}

/** A column that others explain but for so small a share of its length is none of its own. */
const TOLERANCE = 1e-9;

/**
 * Ordinary least squares as weights of the responses, by Gram and Schmidt's orthogonalisation, done twice (Giraud, Langou & Rozložník,
 * Computers & Mathematics with Applications 2005). A column that is a combination of those before it has no coefficient: what it
 * stands for is part of theirs.
 *
 * @param columns - `[columns, rows]` of the model; the most wanted first
 */
export function leastSquares(columns: readonly (readonly number[])[]): LinearFit {
  const kept: number[] = [];
  const basis: number[][] = [];
  // Of each kept column its parts along the basis.
  const parts: number[][] = [];
  for (const [index, column] of columns.entries()) {
    let rest = [...column];
    const along = basis.map(() => 0);
    for (let pass = 0; pass < 2; pass++)
      for (const [place, direction] of basis.entries()) {
        const part = dot(direction, rest);
        along[place]! += part;
        rest = rest.map((value, row) => value - part * direction[row]!);
      }
    const length = Math.sqrt(dot(rest, rest));
    if (length <= TOLERANCE * Math.sqrt(dot(column, column))) continue;
    kept.push(index);
    basis.push(rest.map((value) => value / length));
    parts.push([...along, length]);
  }
  const weights: number[][] = Array.from({ length: kept.length }, () => []);
  for (let place = kept.length - 1; place >= 0; place--) {
    let row = basis[place]!;
    for (let later = place + 1; later < kept.length; later++) {
      const part = parts[later]![place]!;
      row = row.map((value, at) => value - part * weights[later]![at]!);
    }
    weights[place] = row.map((value) => value / parts[place]![place]!);
  }
  return { kept, weights };
}

/**
 * The sum of the products of two lists.
 *
 * @throws RangeError when they are not equally long
 */
export function dot(a: readonly number[], b: readonly number[]): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} and ${b.length} numbers`);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
