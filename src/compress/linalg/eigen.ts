/** Off the diagonal, relative to all of the matrix, what counts as nothing. */
const NEGLIGIBLE = 1e-14;

/** Jacobi's method converges quadratically: some eight sweeps for a matrix of a hundred rows. */
const MOST_SWEEPS = 40;

/** Eigenvalues of a symmetric matrix, the largest first, and its eigenvectors. */
export interface Eigen {
  /** `[n]`. */
  readonly values: Float64Array;
  /** `[n, n]`: one to a row, of length 1, perpendicular to each other. */
  readonly vectors: Float64Array;
}

/**
 * Eigenvalues and eigenvectors of a small symmetric matrix, by Jacobi's cyclic method (Golub & Van Loan, "Matrix Computations", 4th ed.,
 * algorithm 8.5.3): slower than others for large matrices, but each vector is as exact as rounding allows.
 *
 * @param matrix - `[n, n]`; its two triangles are taken to be alike
 * @param n - its side
 */
export function eigenOf(matrix: Float64Array, n: number): Eigen {
  const a = matrix.slice();
  const rows = new Float64Array(n * n);
  for (let i = 0; i < n; i++) rows[i * n + i] = 1;
  const size = Math.sqrt(squares(a));
  for (let sweep = 0; sweep < MOST_SWEEPS && offDiagonal(a, n) > NEGLIGIBLE * size; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, rows, n, p, q);
  }
  const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => a[j * n + j]! - a[i * n + i]!);
  const vectors = new Float64Array(n * n);
  for (const [place, i] of order.entries()) vectors.set(rows.subarray(i * n, (i + 1) * n), place * n);
  return { values: Float64Array.from(order, (i) => a[i * n + i]!), vectors };
}

/** Turns the axes p and q so that nothing is left of the matrix between them. */
function rotate(a: Float64Array, rows: Float64Array, n: number, p: number, q: number): void {
  const between = a[p * n + q]!;
  if (between === 0) return;
  const ratio = (a[q * n + q]! - a[p * n + p]!) / (2 * between);
  const tangent = (ratio < 0 ? -1 : 1) / (Math.abs(ratio) + Math.hypot(ratio, 1));
  const cosine = 1 / Math.hypot(tangent, 1);
  const sine = tangent * cosine;
  for (let k = 0; k < n; k++) {
    const [x, y] = [a[k * n + p]!, a[k * n + q]!];
    a[k * n + p] = cosine * x - sine * y;
    a[k * n + q] = sine * x + cosine * y;
  }
  for (const matrix of [a, rows]) {
    for (let k = 0; k < n; k++) {
      const [x, y] = [matrix[p * n + k]!, matrix[q * n + k]!];
      matrix[p * n + k] = cosine * x - sine * y;
      matrix[q * n + k] = sine * x + cosine * y;
    }
  }
}

function squares(a: Float64Array): number {
  return a.reduce((sum, value) => sum + value * value, 0);
}

/** The length of what lies off the diagonal. */
function offDiagonal(a: Float64Array, n: number): number {
  let sum = 0;
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) if (i !== j) sum += a[i * n + j]! ** 2;
  return Math.sqrt(sum);
}
