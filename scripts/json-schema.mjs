// JSON Schemas of types, for what commands print with --json. The type checker is asked, and not the syntax: types that are inferred from
// zod's schemas, picked or mapped have no syntax of their own, which keeps generators that read syntax from them.
import { join } from 'node:path';
import ts from 'typescript';

/** What a type says of JSON that `JSON.stringify` writes of it: see json-schema.d.mts. */
export function schemasOf(root, file, name) {
  const { config } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: [file] }, ts.sys, root);
  const program = ts.createProgram([join(root, file)], { ...options, noEmit: true });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(join(root, file));
  const found = source && checker.getExportsOfModule(checker.getSymbolAtLocation(source));
  const symbol = found?.find((each) => each.name === name);
  if (symbol === undefined) throw new Error(`${file} exports no type ${name}`);
  const type = checker.getDeclaredTypeOfSymbol(symbol);
  return Object.fromEntries(
    checker
      .getPropertiesOfType(type)
      .map((member) => [member.name, schemaOf(checker, checker.getTypeOfSymbol(member), [])]),
  );
}

/** The schema of report.json as a document of its own: see json-schema.d.mts. */
export function reportSchema(schema) {
  const version = schema.properties.schemaVersion.const;
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `report.json of EdgeFlex, version ${version}`,
    ...schema,
  };
}

/**
 * @param {ts.TypeChecker} checker
 * @param {ts.Type} type
 * @param {readonly ts.Type[]} inside - types that this one is a part of
 */
function schemaOf(checker, type, inside) {
  const { flags } = type;
  if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
  if (flags & ts.TypeFlags.Null) return { type: 'null' };
  if (flags & ts.TypeFlags.BooleanLiteral) return { const: checker.typeToString(type) === 'true' };
  if (type.isStringLiteral() || type.isNumberLiteral()) return { const: type.value };
  if (type.isUnion()) return unionOf(checker, type.types, inside);
  if (flags & (ts.TypeFlags.StringLike | ts.TypeFlags.TemplateLiteral)) return { type: 'string' };
  if (flags & ts.TypeFlags.NumberLike) return { type: 'number' };
  if (flags & ts.TypeFlags.BooleanLike) return { type: 'boolean' };
  if (flags & ts.TypeFlags.NonPrimitive) return { type: 'object' };
  // A type that holds itself is described once.
  if (inside.includes(type)) return {};
  const within = [...inside, type];
  if (checker.isArrayType(type) || checker.isTupleType(type)) {
    const items = unionOf(checker, checker.getTypeArguments(type), within);
    return { type: 'array', items };
  }
  if (flags & (ts.TypeFlags.Object | ts.TypeFlags.Intersection)) return objectOf(checker, type, within);
  throw new Error(`no JSON Schema for ${checker.typeToString(type)}`);
}

function unionOf(checker, types, inside) {
  const parts = types
    .filter(({ flags }) => !(flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)))
    .map((type) => schemaOf(checker, type, inside));
  const literals = parts.filter((part) => typeof part.const === 'string' || typeof part.const === 'number');
  const truths = parts.filter((part) => typeof part.const === 'boolean');
  const others = parts.filter((part) => part.const === undefined);
  const all = [
    ...(literals.length > 1 ? [{ enum: literals.map((part) => part.const) }] : literals),
    ...(truths.length > 1 ? [{ type: 'boolean' }] : truths),
    ...others.filter(
      (part, index) => others.findIndex((other) => JSON.stringify(other) === JSON.stringify(part)) === index,
    ),
  ];
  return all.length === 1 ? all[0] : { anyOf: all };
}

function objectOf(checker, type, inside) {
  const properties = {};
  const required = [];
  for (const member of checker.getPropertiesOfType(type)) {
    const own = checker.getTypeOfSymbol(member);
    // JSON has no functions.
    if (own.getCallSignatures().length > 0) continue;
    const description = ts.displayPartsToString(member.getDocumentationComment(checker));
    properties[member.name] = { ...(description && { description }), ...schemaOf(checker, own, inside) };
    const mayBeLeftOut =
      member.flags & ts.SymbolFlags.Optional ||
      (own.isUnion() && own.types.some(({ flags }) => flags & ts.TypeFlags.Undefined));
    if (!mayBeLeftOut) required.push(member.name);
  }
  const [index] = checker.getIndexInfosOfType(type);
  return {
    type: 'object',
    properties,
    required,
    additionalProperties: index === undefined ? false : schemaOf(checker, index.type, inside),
  };
}
