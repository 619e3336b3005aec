import type { z } from 'zod';

/** A schema as zod describes it: what a kind of schema has of these. */
interface Definition {
  readonly type: string;
  readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
  readonly innerType?: z.core.$ZodType;
  readonly in?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly valueType?: z.core.$ZodType;
  readonly options?: readonly z.core.$ZodType[];
  readonly items?: readonly z.core.$ZodType[];
  readonly left?: z.core.$ZodType;
  readonly right?: z.core.$ZodType;
}

/**
 * The keys that an object may have at a place, of all alternatives where there are several.
 *
 * @param schema - of the whole value
 * @param path - to the object
 * @returns none where the schema does not list them
 */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[]): string[] {
  const definition = schema._zod.def as unknown as Definition;
  const { innerType, options, left, right } = definition;
  const within = [innerType, definition.in, ...(options ?? []), left, right].filter(
    (each) => each !== undefined,
  );
  if (within.length > 0) return [...new Set(within.flatMap((each) => keysAt(each, path)))];
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(definition.shape ?? {});
  const child =
    definition.shape?.[String(key)] ??
    definition.element ??
    definition.valueType ??
    definition.items?.[Number(key)];
  return child === undefined ? [] : keysAt(child, rest);
}
