/**
 * A value that other code has made sure of. Where it is missing all the same, that is a fault of EdgeFlex and must not go on as
 * `undefined`.
 *
 * @param value - of a map, a list or an optional field
 * @param what - it is, for the message
 * @throws Error when it is undefined
 */
export function defined<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} is missing`);
  return value;
}
