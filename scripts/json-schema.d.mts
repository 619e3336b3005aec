/** A JSON Schema, as far as the types of JSON outputs need it. */
export interface JsonSchema {
  readonly description?: string;
  readonly type?: string;
  readonly const?: string | number | boolean;
  readonly enum?: readonly (string | number)[];
  readonly anyOf?: readonly JsonSchema[];
  readonly items?: JsonSchema;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
}

/**
 * Schemas of the members of an interface or a type.
 *
 * @param root - folder of the checkout
 * @param file - the module, relative to it
 * @param name - of the exported type
 * @throws Error when the module has no such type
 */
export function schemasOf(root: string, file: string, name: string): Readonly<Record<string, JsonSchema>>;

/**
 * The schema of report.json as a document of its own, with its version in the title.
 *
 * @param schema - of a report, as `schemasOf` gives it
 */
export function reportSchema(schema: JsonSchema): JsonSchema;
