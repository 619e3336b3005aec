/**
 * Two lists side by side, such as amounts and the coefficients that they are multiplied by.
 *
 * @param first - of each pair
 * @param second - of each pair
 * @returns as many pairs as either list has members
 * @throws Error when one list is longer: a fault of EdgeFlex, which must not go on as `undefined`
 */
export function zip<A, B>(first: readonly A[], second: readonly B[]): (readonly [A, B])[] {
  if (first.length !== second.length)
    throw new Error(`${first.length} and ${second.length} members do not pair`);
  return first.map((member, index) => [member, second[index] as B] as const);
}
