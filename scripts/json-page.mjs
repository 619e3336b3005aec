// Writes docs/reference/json.md, what every command prints with --json, and docs/public/json/, the same as JSON Schemas: from the types that
// the commands are checked against.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { schemasOf } from './json-schema.mjs';

/** Fields of a schema with everything inside them: `runs[].id`. */
function rowsOf(schema, path) {
  const parts = schema.anyOf ?? [schema];
  const rows = parts.flatMap((part) => [
    ...(part.items ? rowsOf(part.items, `${path}[]`) : []),
    ...Object.entries(part.properties ?? {}).flatMap(([name, field]) => {
      const place = path === '' ? name : `${path}.${name}`;
      const own = { place, type: typeOf(field), description: field.description ?? '' };
      const optional = !(part.required ?? []).includes(name);
      return [{ ...own, optional }, ...rowsOf(field, place)];
    }),
    ...(typeof part.additionalProperties === 'object' ? rowsOf(part.additionalProperties, `${path}.*`) : []),
  ]);
  // Alternatives may share a field.
  return rows.filter((row, index) => rows.findIndex(({ place }) => place === row.place) === index);
}

function typeOf(schema) {
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``;
  if (schema.enum) return schema.enum.map((each) => `\`${JSON.stringify(each)}\``).join(', ');
  if (schema.type === 'array')
    return schema.items.type === 'object' ? 'list' : `list of ${typeOf(schema.items)}`;
  return schema.type ?? 'anything';
}

function table(rows) {
  const cell = (text) =>
    text
      .replaceAll('|', '\\|')
      .replaceAll('<', '&lt;')
      .replaceAll(/\s*\n\s*/g, ' ');
  return [
    '| field | type | meaning |',
    '| --- | --- | --- |',
    ...rows.map(
      ({ place, type, optional, description }) =>
        `| \`${place}\` | ${cell(type)}${optional ? ', may be absent' : ''} | ${cell(description)} |`,
    ),
  ].join('\n');
}

const schemas = schemasOf('.', 'src/cli/json.ts', 'JsonOutputs');
const written = new Map();
const sections = Object.entries(schemas)
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([name, schema]) => {
    const text = JSON.stringify(schema);
    const same = written.get(text);
    written.set(text, same ?? name);
    const head = `## edgeflex ${name}\n\n`;
    if (same !== undefined)
      return `${head}The same as [edgeflex ${same}](#edgeflex-${same.replaceAll(' ', '-')}).`;
    const kind = schema.type === 'array' ? 'A list.' : 'An object.';
    return `${head}${kind}\n\n${table(rowsOf(schema, ''))}`;
  });
const folder = join('docs', 'public', 'json');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(schemas)) {
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `edgeflex ${name} --json`,
    ...schema,
  };
  writeFileSync(join(folder, `${name.replaceAll(' ', '-')}.json`), `${JSON.stringify(whole, null, 2)}\n`);
}

const intro = `Written by \`npm run docs:commands\` from the types in \`src/cli/json.ts\`. Every command that has \`--json\` prints one JSON document to standard output,
and nothing else there. Objects have a \`schemaVersion\`, which is increased when a field is removed or changes its meaning, not when one is added;
entries of lists only gain fields. [What is stable](../stability.md) says more.

\`a.b\` is the field \`b\` of the object \`a\`, \`a[]\` every entry of the list \`a\`, and \`a.*\` every value of an object whose keys are names. Estimates are
\`{ value, low, high }\`, with 95 % intervals. \`edgeflex compare --json\` is the same as \`--format json\`. For validators, this site has a JSON Schema of
each at \`/json/<command>.json\`, with hyphens instead of spaces: \`/json/runs-prune.json\`.`;
writeFileSync('docs/reference/json.md', `${['# JSON output', intro, ...sections].join('\n\n')}\n`);
