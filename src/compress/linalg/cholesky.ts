import type { Blas } from './blas.js';

/** Width of the panels: what is inside one is done in JavaScript, what lies between them by the Gemm. */
const PANEL = 128;

/**
 * Cholesky factor of a symmetric positive definite matrix, `A = L · Lᵀ`, in float64 (Golub & Van Loan, "Matrix
 * Computations", 4th ed., algorithm 4.2.7: block outer product).
 *
 * @param a - `[n, n]`; only the lower triangle is read
 * @param n - its side
 * @param blas - does the products between panels
 * @returns `L`, `[n, n]`, zero above the diagonal
 * @throws RangeError when the matrix is not positive definite
 */
export async function cholesky(a: Float64Array, n: number, blas: Blas): Promise<Float64Array> {
  const l = a.slice();
  for (let start = 0; start < n; start += PANEL) {
    const end = Math.min(start + PANEL, n);
    factorPanel(l, n, start, end);
    if (end === n) break;
    const below = subMatrix(l, n, end, n, start, end);
    const update = await blas.productTransposed(below, below, end - start);
    const side = n - end;
    for (let i = 0; i < side; i++) {
      const row = (end + i) * n + end;
      for (let j = 0; j <= i; j++) l[row + j]! -= update[i * side + j]!;
    }
  }
  for (let i = 0; i < n; i++) l.fill(0, i * n + i + 1, (i + 1) * n);
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
  const x = b.slice();
  for (let start = 0; start < n; start += PANEL) {
    const end = Math.min(start + PANEL, n);
    if (start > 0) {
      const left = subMatrix(l, n, start, end, 0, start);
      subtract(x, start * columns, await blas.product(left, x.subarray(0, start * columns), start));
    }
    for (let i = start; i < end; i++) {
      for (let k = start; k < i; k++) addRow(x, i, k, -l[i * n + k]!, columns);
      scaleRow(x, i, 1 / l[i * n + i]!, columns);
    }
  }
  return x;
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
  const lastPanel = Math.floor((n - 1) / PANEL) * PANEL;
  for (let start = lastPanel; start >= 0; start -= PANEL) {
    const end = Math.min(start + PANEL, n);
    if (end < n) {
      const below = transposeOf(subMatrix(l, n, end, n, start, end), n - end, end - start);
      subtract(x, start * columns, await blas.product(below, x.subarray(end * columns), n - end));
    }
    for (let i = end - 1; i >= start; i--) {
      for (let k = i + 1; k < end; k++) addRow(x, i, k, -l[k * n + i]!, columns);
      scaleRow(x, i, 1 / l[i * n + i]!, columns);
    }
  }
  return x;
}

/**
 * The diagonal of `(L · Lᵀ)⁻¹`: the squared lengths of the columns of `L⁻¹`.
 *
 * @param l - lower triangular, `[n, n]`
 */
export async function inverseDiagonal(l: Float64Array, n: number, blas: Blas): Promise<Float64Array> {
  const identity = new Float64Array(n * n);
  for (let i = 0; i < n; i++) identity[i * n + i] = 1;
  const inverse = await solveLower(l, n, identity, n, blas);
  const diagonal = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) diagonal[j]! += inverse[i * n + j]! ** 2;
  }
  return diagonal;
}

/** Factors the columns `start … end` in place, all rows down to `n`. */
function factorPanel(l: Float64Array, n: number, start: number, end: number): void {
  for (let j = start; j < end; j++) {
    const rowJ = j * n;
    let pivot = l[rowJ + j]!;
    for (let k = start; k < j; k++) pivot -= l[rowJ + k]! ** 2;
    if (!(pivot > 0)) throw new RangeError(`not positive definite: pivot ${j} of ${n} is ${pivot}`);
    const root = Math.sqrt(pivot);
    l[rowJ + j] = root;
    for (let i = j + 1; i < n; i++) {
      const rowI = i * n;
      let sum = l[rowI + j]!;
      for (let k = start; k < j; k++) sum -= l[rowI + k]! * l[rowJ + k]!;
      l[rowI + j] = sum / root;
    }
  }
}

/** Copy of the rows `r0 … r1` and columns `c0 … c1` of an `[…, n]` matrix. */
function subMatrix(a: Float64Array, n: number, r0: number, r1: number, c0: number, c1: number): Float64Array {
  const width = c1 - c0;
  const out = new Float64Array((r1 - r0) * width);
  for (let r = r0; r < r1; r++) out.set(a.subarray(r * n + c0, r * n + c1), (r - r0) * width);
  return out;
}

function transposeOf(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = a[r * columns + c]!;
  return out;
}

function subtract(from: Float64Array, offset: number, amount: Float64Array): void {
  for (let i = 0; i < amount.length; i++) from[offset + i]! -= amount[i]!;
}

function addRow(x: Float64Array, to: number, from: number, factor: number, columns: number): void {
  if (factor === 0) return;
  const [a, b] = [to * columns, from * columns];
  for (let c = 0; c < columns; c++) x[a + c]! += factor * x[b + c]!;
}

function scaleRow(x: Float64Array, row: number, factor: number, columns: number): void {
  const a = row * columns;
  for (let c = 0; c < columns; c++) x[a + c]! *= factor;
}
