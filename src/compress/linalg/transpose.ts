/** Side of the tiles that a matrix is transposed in: the rows that are read and those that are written stay in the cache. */
const TILE = 32;

/**
 * The transpose of a matrix.
 *
 * @param a - `[rows, columns]`
 * @param rows - its height
 * @param columns - its width
 * @returns `[columns, rows]`
 */
export function transposed(a: Float64Array, rows: number, columns: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    const r1 = Math.min(r0 + TILE, rows);
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const c1 = Math.min(c0 + TILE, columns);
      for (let r = r0; r < r1; r++) for (let c = c0; c < c1; c++) out[c * rows + r] = a[r * columns + c]!;
    }
  }
  return out;
}
