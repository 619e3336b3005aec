import { build } from 'esbuild';
import { readFileSync } from 'node:fs';

const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Libraries of hundreds of small modules: finding these took more than half of the second that every command took to start. */
const inlined = [
  'kysely',
  'zod',
  '@bufbuild/protobuf',
  '@stdlib/math-base-special-erfc',
  '@stdlib/math-base-special-erfinv',
];

const node = { bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' };

/** The command, in a few files. */
const command = build({
  ...node,
  entryPoints: ['src/cli/main.ts'],
  splitting: true,
  sourcemap: true,
  external: Object.keys(dependencies).filter((name) => !inlined.includes(name)),
  outdir: 'dist/command',
});

/** The agent that is brought to boards, in one file. */
const board = build({
  ...node,
  entryPoints: ['src/agent/node.ts'],
  external: ['onnxruntime-node'],
  outfile: 'dist/agent/board.mjs',
});

/** The agent as a page in a browser. */
const page = build({
  entryPoints: ['src/agent/browser/main.ts'],
  bundle: true,
  splitting: true,
  format: 'esm',
  minify: true,
  conditions: ['onnxruntime-web-use-extern-wasm'],
  outdir: 'dist/agent/page',
  logLevel: 'warning',
});

await Promise.all([command, board, page]);
