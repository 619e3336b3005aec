// Writes dist/types/: one file of declarations for each entry of the package, as programs in TypeScript read them.
import { mkdirSync, writeFileSync } from 'node:fs';
import { generateDtsBundle } from 'dts-bundle-generator';

const entries = ['index', 'statistics'];
const output = { exportReferencedTypes: false, noBanner: true };
const bundles = generateDtsBundle(
  entries.map((entry) => ({ filePath: `src/library/${entry}.ts`, output })),
  { preferredConfigPath: 'tsconfig.types.json' },
);
mkdirSync('dist/types', { recursive: true });
for (const [index, entry] of entries.entries()) {
  // TypeScript 6.0 writes the key "-Infinity" of an enumeration in a form that it refuses to read.
  const declarations = bundles[index].replaceAll('[-Infinity]:', '"-Infinity":');
  writeFileSync(`dist/types/${entry}.d.ts`, declarations);
}
