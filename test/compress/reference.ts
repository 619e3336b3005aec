/**
 * Float64 linear algebra by the textbook, slow and plain: what the fast code is held against.
 */

/** Solves `A · X = B` by Gaussian elimination with partial pivoting; `A` is `[n, n]`, `B` `[n, columns]`. */
export function solve(a: Float64Array, b: Float64Array, n: number): Float64Array {
  const columns = b.length / n;
  const left = a.slice();
  const right = b.slice();
  const swap = (m: Float64Array, width: number, i: number, j: number): void => {
    for (let c = 0; c < width; c++)
      [m[i * width + c], m[j * width + c]] = [m[j * width + c]!, m[i * width + c]!];
  };
  for (let pivot = 0; pivot < n; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < n; row++)
      if (Math.abs(left[row * n + pivot]!) > Math.abs(left[best * n + pivot]!)) best = row;
    swap(left, n, pivot, best);
    swap(right, columns, pivot, best);
    for (let row = 0; row < n; row++) {
      if (row === pivot) continue;
      const factor = left[row * n + pivot]! / left[pivot * n + pivot]!;
      for (let c = pivot; c < n; c++) left[row * n + c]! -= factor * left[pivot * n + c]!;
      for (let c = 0; c < columns; c++) right[row * columns + c]! -= factor * right[pivot * columns + c]!;
    }
  }
  return right.map(
    (value, index) => value / left[Math.floor(index / columns) * n + Math.floor(index / columns)]!,
  );
}

/** `A · B` for `A` `[m, k]` and `B` `[k, n]`. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>, k: number): Float64Array {
  const [m, n] = [a.length / k, b.length / k];
  const out = new Float64Array(m * n);
  for (let i = 0; i < m; i++)
    for (let p = 0; p < k; p++) for (let j = 0; j < n; j++) out[i * n + j]! += a[i * k + p]! * b[p * n + j]!;
  return out;
}

/** The transpose of an `[rows, columns]` matrix. */
export function transpose(a: ArrayLike<number>, rows: number): Float64Array {
  const columns = a.length / rows;
  return Float64Array.from({ length: a.length }, (_, i) => a[(i % rows) * columns + Math.floor(i / rows)]!);
}
