/**
 * Two matrices of the same width, the rows of the second below those of the first.
 *
 * @param first - `[any, width]`
 * @param second - `[any, width]`
 */
export function stacked(first: Float64Array, second: Float64Array): Float64Array {
  const out = new Float64Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}
