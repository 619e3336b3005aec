import { build } from 'esbuild';
import { readFileSync, rmSync } from 'node:fs';

const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));

/** Libraries of hundreds of small modules: finding these took more than half of the second that every command took to start. */
const inlined = [
  'kysely',
  'zod',
  '@bufbuild/protobuf',
  '@stdlib/math-base-special-erfc',
  '@stdlib/math-base-special-erfinv',
];

const node = { bundle: true, platform: 'node', target: 'node20', format: 'esm', logLevel: 'warning' };

// Names of chunks hold their digests: those of earlier builds would stay, and go into the package.
for (const folder of ['dist/command', 'dist/browser', 'dist/agent/page'])
  rmSync(folder, { recursive: true, force: true });

/** The command and the library, in a few files. */
const command = build({
  ...node,
  entryPoints: {
    main: 'src/cli/main.ts',
    library: 'src/library/index.ts',
    watchdog: 'src/device/browser/watchdog.ts',
    images: 'src/data/images/worker.ts',
    unpack: 'src/data/parquet/program.ts',
    analyst: 'src/serve/analyst/worker.ts',
    'completion-shape': 'src/cli/completion/shape.ts',
  },
  splitting: true,
  sourcemap: true,
  external: Object.keys({ ...dependencies, ...optionalDependencies }).filter(
    (name) => !inlined.includes(name),
  ),
  outdir: 'dist/command',
});

/** What of the library browsers may import, too: nothing in it is Node's. */
const statistics = build({
  entryPoints: ['src/library/statistics.ts'],
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'esm',
  outdir: 'dist/browser',
  logLevel: 'warning',
});

/** The agent that a process of this machine or of a board runs, in one file. */
const agent = build({
  ...node,
  entryPoints: ['src/agent/node.ts'],
  external: ['onnxruntime-node'],
  outfile: 'dist/agent/agent.mjs',
});

/** What runs in the page of a report, in one file that the page carries. */
const behaviour = build({
  entryPoints: ['src/report/behaviour/main.ts'],
  bundle: true,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  outfile: 'dist/report/behaviour.js',
  logLevel: 'warning',
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

await Promise.all([command, statistics, agent, behaviour, page]);

// All commands with their flags, for "edgeflex completion": loading the code of all of them takes longer than a key should.
const { writeShape } = await import('./dist/command/completion-shape.js');
await writeShape('dist/command/completion.json');
