/** A place in which two JSON values differ; undefined where one of them has nothing there. */
export interface JsonDifference {
  /** Keys and indices with dots between them; empty for the whole. */
  readonly place: string;
  readonly before: unknown;
  readonly after: unknown;
}

/**
 * Where two JSON values differ: the deepest places, in the order of the first one's keys.
 *
 * @param before - one value
 * @param after - the other
 * @param place - of both
 */
export function jsonDifferences(before: unknown, after: unknown, place = ''): JsonDifference[] {
  if (isContainer(before) && isContainer(after) && Array.isArray(before) === Array.isArray(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) =>
      jsonDifferences(before[key], after[key], place === '' ? key : `${place}.${key}`),
    );
  }
  return Object.is(before, after) ? [] : [{ place, before, after }];
}

function isContainer(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
