import { build } from 'esbuild';
import { Buffer } from 'node:buffer';
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

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
for (const folder of ['dist/command', 'dist/browser', 'dist/agent/page', 'dist/dashboard'])
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

/** Words use Node for what only terminals need: nothing of it is left in a page. */
const withoutNode = {
  name: 'without-node',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^node:/ }, ({ path }) => ({ path, external: true, sideEffects: false })),
};

/** The dashboard's page. The library of its charts is a file of its own, which comes when there is something to draw. */
const dashboard = build({
  entryPoints: { app: 'src/serve/page/main.ts' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  plugins: [withoutNode],
  outdir: 'dist/dashboard',
  logLevel: 'warning',
});

/** What loads the page again where its code has not arrived: in front of it, hence no module. */
const dashboardStart = build({
  entryPoints: { start: 'src/serve/page/start.ts' },
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2022',
  minify: true,
  outdir: 'dist/dashboard',
  logLevel: 'warning',
});

await Promise.all([command, statistics, agent, behaviour, page, dashboard, dashboardStart, dashboardFiles()]);

/** What of the dashboard is no code: its page, its style sheet, which is that of reports and its own, its icon. */
async function dashboardFiles() {
  const { outputFiles } = await build({
    entryPoints: ['src/serve/page/style.ts'],
    bundle: true,
    format: 'esm',
    write: false,
    logLevel: 'warning',
  });
  const code = Buffer.from(outputFiles[0].contents).toString('base64');
  const { pageStyle } = await import(`data:text/javascript;base64,${code}`);
  mkdirSync('dist/dashboard', { recursive: true });
  writeFileSync('dist/dashboard/app.css', pageStyle);
  copyFileSync('src/serve/page/index.html', 'dist/dashboard/index.html');
  copyFileSync('docs/public/favicon.svg', 'dist/dashboard/icon.svg');
}

// All commands with their flags, for "edgeflex completion": loading the code of all of them takes longer than a key should.
const { writeShape } = await import('./dist/command/completion-shape.js');
await writeShape('dist/command/completion.json');
