import type { Blas } from './blas.js';
import { transposed } from './transpose.js';

/**
 * Width of the panels: what is inside one is done in JavaScript, all else by the Gemm. Wider ones leave more to JavaScript, narrower ones
 * copy more, which counts in large matrices.
 */
function panelOf(n: number): number {
  return n <= 2048 ? 128 : 256;
}

/** Columns that are solved for together, where all of them would take too much memory. */
const COLUMNS = 1024;

/** Columns of an inverse that are found together: each begins at the first of them, so that few leave little to do that is known to be zero. */
const INVERTED = 256;

/**
 * Cholesky factor of a symmetric positive definite matrix, `A = L · Lᵀ`, in float64: panel after panel, each less what the
 * panels before it account for (Golub & Van Loan, "Matrix Computations", 4th ed., algorithm 4.2.1, with panels in place of
 * columns).
 *
 * @param a - `[n, n]`; only the lower triangle is read
 * @param n - its side
 * @param blas - does the products
 * @returns `L`, `[n, n]`, zero above the diagonal
 * @throws RangeError when the matrix is not positive definite
 */
export async function cholesky(a: Float64Array, n: number, blas: Blas): Promise<Float64Array> {
  const l = new Float64Array(n * n);
  const most = panelOf(n);
  for (let start = 0; start < n; start += most) {
    const end = Math.min(start + most, n);
    const width = end - start;
    const panel = subMatrix(a, n, start, n, start, end);
    if (start > 0) {
      const left = subMatrix(l, n, start, n, 0, start);
      subtract(panel, 0, await blas.productTransposed(left, left.subarray(0, width * start), start));
    }
    const top = factorOf(panel, width, start, n);
    putRows(l, n, start, start, top, width);
    if (end === n) break;
    const below = panel.subarray(width * width);
    putRows(l, n, end, start, await blas.productTransposed(below, lowerInverse(top, width), width), width);
  }
  return l;
}

/**
 * Solves `L · X = B` by forward substitution.
 *
 * @param l - lower triangular, `[n, n]`
 * @param b - `[n, columns]`
 * @returns `X`, `[n, columns]`
 */
export async function solveLower(
  l: Float64Array,
  n: number,
  b: Float64Array,
  columns: number,
  blas: Blas,
): Promise<Float64Array> {
  return solveTrailing(l, n, 0, b, columns, blas);
}

/**
 * Solves `Lᵀ · X = B` by backward substitution.
 *
 * @param l - lower triangular, `[n, n]`
 * @param b - `[n, columns]`
 * @returns `X`, `[n, columns]`
 */
export async function solveLowerTransposed(
  l: Float64Array,
  n: number,
  b: Float64Array,
  columns: number,
  blas: Blas,
): Promise<Float64Array> {
  const x = b.slice();
  const most = panelOf(n);
  const lastPanel = Math.floor((n - 1) / most) * most;
  for (let start = lastPanel; start >= 0; start -= most) {
    const end = Math.min(start + most, n);
    const width = end - start;
    if (end < n) {
      const below = transposed(subMatrix(l, n, end, n, start, end), n - end, width);
      subtract(x, start * columns, await blas.product(below, x.subarray(end * columns), n - end));
    }
    const inverse = lowerInverse(subMatrix(l, n, start, end, start, end), width);
    const rows = x.subarray(start * columns, end * columns);
    rows.set(await blas.product(transposed(inverse, width, width), rows, width));
  }
  return x;
}

/**
 * The diagonal of `(L · Lᵀ)⁻¹`: the squared lengths of the columns of `L⁻¹`.
 *
 * @param l - lower triangular, `[n, n]`
 */
export async function inverseDiagonal(l: Float64Array, n: number, blas: Blas): Promise<Float64Array> {
  const diagonal = new Float64Array(n);
  for (let from = 0; from < n; from += INVERTED) {
    const width = Math.min(INVERTED, n - from);
    // Above the diagonal L⁻¹ is zero as L is: these columns begin at their own row.
    const identity = new Float64Array((n - from) * width);
    for (let i = 0; i < width; i++) identity[i * width + i] = 1;
    const inverse = await solveTrailing(l, n, from, identity, width, blas);
    for (let i = 0; i < n - from; i++)
      for (let j = 0; j < width; j++) diagonal[from + j]! += inverse[i * width + j]! ** 2;
  }
  return diagonal;
}

/**
 * `W · L` for a lower triangular L.
 *
 * @param w - `[rows, n]`
 * @param l - `[n, n]`, zero above the diagonal
 * @param n - its side
 * @param blas - does the products
 * @returns `[rows, n]`
 */
export async function timesLower(
  w: Float64Array,
  l: Float64Array,
  n: number,
  blas: Blas,
): Promise<Float64Array> {
  const rows = w.length / n;
  const out = new Float64Array(w.length);
  for (let from = 0; from < n; from += COLUMNS) {
    const to = Math.min(from + COLUMNS, n);
    const right = subMatrix(l, n, from, n, from, to);
    const part = await blas.product(subMatrix(w, n, 0, rows, from, n), right, n - from);
    putRows(out, n, 0, from, part, to - from);
  }
  return out;
}

/** Solves `L · X = B` for the part of a lower triangular matrix that lies behind its first `from` rows and columns. */
async function solveTrailing(
  l: Float64Array,
  n: number,
  from: number,
  b: Float64Array,
  columns: number,
  blas: Blas,
): Promise<Float64Array> {
  const x = b.slice();
  const most = panelOf(n);
  for (let start = from; start < n; start += most) {
    const end = Math.min(start + most, n);
    const [first, last] = [(start - from) * columns, (end - from) * columns];
    if (start > from) {
      const left = subMatrix(l, n, start, end, from, start);
      subtract(x, first, await blas.product(left, x.subarray(0, first), start - from));
    }
    const inverse = lowerInverse(subMatrix(l, n, start, end, start, end), end - start);
    const rows = x.subarray(first, last);
    rows.set(await blas.product(inverse, rows, end - start));
  }
  return x;
}

/**
 * Cholesky factor of the square at the top of a panel.
 *
 * @param panel - `[…, width]`
 * @param start - where in the whole matrix, of side n, the panel begins
 */
function factorOf(panel: Float64Array, width: number, start: number, n: number): Float64Array {
  const l = new Float64Array(width * width);
  for (let j = 0; j < width; j++) {
    let pivot = panel[j * width + j]!;
    for (let k = 0; k < j; k++) pivot -= l[j * width + k]! ** 2;
    if (!(pivot > 0)) throw new RangeError(`not positive definite: pivot ${start + j} of ${n} is ${pivot}`);
    const root = Math.sqrt(pivot);
    l[j * width + j] = root;
    for (let i = j + 1; i < width; i++) {
      let sum = panel[i * width + j]!;
      for (let k = 0; k < j; k++) sum -= l[i * width + k]! * l[j * width + k]!;
      l[i * width + j] = sum / root;
    }
  }
  return l;
}

/** Inverse of a small lower triangular matrix, by forward substitution. */
function lowerInverse(l: Float64Array, n: number): Float64Array {
  const x = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    const row = x.subarray(i * n, (i + 1) * n);
    row[i] = 1;
    for (let k = 0; k < i; k++) {
      const factor = l[i * n + k]!;
      for (let j = 0; j <= k; j++) row[j]! -= factor * x[k * n + j]!;
    }
    const pivot = l[i * n + i]!;
    for (let j = 0; j <= i; j++) row[j]! /= pivot;
  }
  return x;
}

/** Copy of the rows `r0 … r1` and columns `c0 … c1` of an `[…, n]` matrix. */
function subMatrix(a: Float64Array, n: number, r0: number, r1: number, c0: number, c1: number): Float64Array {
  const width = c1 - c0;
  const out = new Float64Array((r1 - r0) * width);
  for (let r = r0; r < r1; r++) out.set(a.subarray(r * n + c0, r * n + c1), (r - r0) * width);
  return out;
}

/** Writes a matrix of `width` columns into an `[…, n]` matrix, its corner at row `r0` and column `c0`. */
function putRows(
  into: Float64Array,
  n: number,
  r0: number,
  c0: number,
  rows: Float64Array,
  width: number,
): void {
  for (let r = 0; r < rows.length / width; r++)
    into.set(rows.subarray(r * width, (r + 1) * width), (r0 + r) * n + c0);
}

function subtract(from: Float64Array, offset: number, amount: Float64Array): void {
  for (let i = 0; i < amount.length; i++) from[offset + i]! -= amount[i]!;
}
