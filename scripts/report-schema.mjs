// Writes docs/reference/report.schema.json: the JSON Schema of report.json, from the type that its writer is checked against.
import { writeFileSync } from 'node:fs';
import { reportSchema, schemasOf } from './json-schema.mjs';

const schema = reportSchema(schemasOf('.', 'src/cli/json.ts', 'JsonOutputs').report);
writeFileSync('docs/reference/report.schema.json', `${JSON.stringify(schema, null, 2)}\n`);
