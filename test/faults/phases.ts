import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/base/paths.js';
import { call, type Call } from './support/command.js';
import { digestsOf, folderFaults, look } from './support/outside.js';

/** What all phases begin with: one measured run, its reports, a warm cache, an output of `compress`. */
export interface Fixture {
  readonly folder: string;
  readonly suite: string;
  /** The schema that this version makes. */
  readonly schema: string;
  /** Rounds that a whole run of the suite has. */
  readonly rounds: number;
}

/** A phase of EdgeFlex's work that is interrupted. */
export interface Phase {
  readonly name: string;
  /** Puts into a new folder what it begins with. */
  prepare(fixture: Fixture, folder: string): void;
  call(fixture: Fixture, folder: string): Call;
  /** The folder in which it changes something first. */
  watched(folder: string): string;
  /** What it says on standard error when it has done what is to be interrupted; left out: when it ends. */
  readonly until?: string;
  /** So many kills follow each other before it comes to its end; what is left is looked at after each. */
  readonly kills: number;
  /** So much larger is the next of the disks that fill up in it, in bytes. */
  readonly growth: number;
  /** The schema of this version may be found after a kill, beside the one that was there before. */
  readonly changesSchema?: true;
  /** Runs that may be gone after a kill: all of them or none. */
  readonly goes?: (run: string) => boolean;
  /** What is wrong with its output. */
  outputFaults?(fixture: Fixture, folder: string): string[];
  /** What is given next, and must come to its end. */
  next(fixture: Fixture, folder: string): Call;
}

const root = packageRoot();
const schemas = join(root, 'test', 'store', 'schemas');

/** The text of a suite that takes seconds: a ViT of 0.8 million parameters, two variants, ten rounds. */
const suiteText = [
  'name: small',
  `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
  `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
  `recipes: [${root}/suites/recipes/int8.yaml]`,
  `devices: [${root}/devices/local-cpu.yaml]`,
  'accuracy: { batch: 64, images: 64 }',
  'performance: { batches: [1], tier: smoke, rounds: 2 }',
].join('\n');

/** What a folder's calls have in common. */
const envOf = (cache: string): NodeJS.ProcessEnv => ({ EDGEFLEX_CACHE: cache });
const results = (folder: string): string[] => ['--results', join(folder, 'results')];
const runCall = ({ suite, folder: fixture }: Fixture, folder: string, ...more: string[]): Call => ({
  args: ['run', suite, ...results(folder), '--reports', join(folder, 'reports'), ...more],
  env: envOf(join(fixture, 'cache')),
});
const listCall = ({ folder: fixture }: Fixture, folder: string): Call => ({
  args: ['runs', ...results(folder)],
  env: envOf(join(fixture, 'cache')),
});
const compressCall = (cache: string, folder: string, recipe: string): Call => ({
  args: ['compress', join(root, 'suites/models/vit-micro-shapes10'), '-o', join(folder, 'out')].concat([
    '--recipe',
    join(root, `suites/recipes/${recipe}.yaml`),
  ]),
  env: envOf(cache),
});

/**
 * Makes what the phases begin with.
 *
 * @param folder - an empty one
 * @throws Error when a command fails
 */
export async function openFixture(folder: string): Promise<Fixture> {
  const fixture = { folder, suite: join(folder, 'suite.yaml') };
  writeFileSync(fixture.suite, suiteText);
  const whole = { ...fixture, schema: '', rounds: 0 };
  for (const each of [runCall(whole, folder), compressCall(join(folder, 'cache'), folder, 'fp16')]) {
    const { code, err } = await call(each);
    if (code !== 0) throw new Error(`${each.args.join(' ')}: exit code ${code}: ${err}`);
  }
  const { schema, rounds } = look(join(folder, 'results', 'edgeflex.db'));
  return { ...fixture, schema, rounds: rounds.size };
}

/** Copies parts of what was made. */
function take({ folder: fixture }: Fixture, folder: string, ...parts: string[]): void {
  for (const part of parts) cpSync(join(fixture, part), join(folder, part), { recursive: true });
}

/** Adds runs to a database: copies of the one in it, a day older each. */
function multiplyRuns(database: string, copies: number): void {
  const copy = (table: string, ...changes: string[]): string =>
    [
      `create temp table t as select * from ${table} where ${table === 'runs' ? 'id' : 'run_id'} not like '%-copy-%'`,
      `update t set ${changes.join(', ')}`,
      `insert into ${table} select * from t`,
      'drop table t',
    ].join(';\n');
  const owned = (table: string, owner: string, by: number, ...changes: string[]): string =>
    [
      `create temp table t as select * from ${table} where ${owner} < 1000`,
      `update t set ${[`${owner} = ${owner} + ${by}`, ...changes].join(', ')}`,
      `insert into ${table} select * from t`,
      'drop table t',
    ].join(';\n');
  const statements = Array.from({ length: copies }, (_, at) => {
    const by = 1000 * (at + 1);
    const run = `run_id = run_id || '-copy-${at}'`;
    return [
      copy(
        'runs',
        ...[`id = id || '-copy-${at}'`, `uid = uid || '-copy-${at}'`],
        `started_at = '2026-01-0${at + 1}T00:00:00.000Z'`,
      ),
      copy('devices', `id = id + ${by}`, run),
      copy('variants', `id = id + ${by}`, run),
      copy(
        'cells',
        `id = id + ${by}`,
        run,
        `variant_id = variant_id + ${by}`,
        `device_id = device_id + ${by}`,
      ),
      owned('rounds', 'cell_id', by, `id = id + ${by}`),
      ...[
        'phases',
        'memory',
        'samples',
        'predictions',
        'logits',
        'kernels',
        'kernel_nodes',
        'conditions',
      ].map((table) => owned(table, 'round_id', by)),
    ].join(';\n');
  });
  execFileSync('sqlite3', ['-bail', database], { input: `begin;\n${statements.join(';\n')};\ncommit;` });
}

/** Makes a database as an older version left it. */
function makeOld(database: string, schema: string): void {
  mkdirSync(join(database, '..'), { recursive: true });
  execFileSync('sqlite3', [database], {
    input: `pragma journal_mode = wal;\n${readFileSync(join(schemas, schema), 'utf8')}`,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
}

/** The schemas that older versions left. */
const oldSchemas = readdirSync(schemas);

/** Lets a run look as if it had been interrupted: its last rounds were not measured. */
function interrupt(database: string): void {
  execFileSync('sqlite3', [
    database,
    "pragma foreign_keys = on; delete from rounds where position > 1; update cells set status = 'pending' where id not in (select cell_id from rounds); update runs set ended_at = null",
  ]);
}

const creation: Phase = {
  name: 'creation of a database',
  prepare: () => undefined,
  call: runCall,
  watched: (folder) => join(folder, 'results'),
  until: 'run ',
  kills: 1,
  growth: 32 * 1024,
  changesSchema: true,
  // What does not take a run's time, and makes the schema where the file is empty.
  next: (fixture, folder) =>
    existsSync(join(folder, 'results', 'edgeflex.db'))
      ? {
          args: ['runs', 'prune', '--keep', '9', ...results(folder)],
          env: envOf(join(fixture.folder, 'cache')),
        }
      : runCall(fixture, folder),
};

const migration = (schema: string): Phase => ({
  name: `migration from ${schema.replace('.sql', '')}`,
  prepare: (_, folder) => {
    makeOld(join(folder, 'results', 'edgeflex.db'), schema);
  },
  call: listCall,
  watched: (folder) => join(folder, 'results'),
  kills: 1,
  growth: 32 * 1024,
  changesSchema: true,
  next: listCall,
});

/** Goes on with the run, where there is one that has not ended: one killed at its very end has nothing left but its report. */
const goOn = (fixture: Fixture, folder: string): Call => {
  const { runs, unfinished } = look(join(folder, 'results', 'edgeflex.db'));
  if (runs.size === 0) return runCall(fixture, folder);
  return unfinished.length > 0 ? runCall(fixture, folder, '--resume') : report.call(fixture, folder);
};

const measuring: Phase = {
  name: 'measuring',
  prepare: () => undefined,
  call: runCall,
  watched: (folder) => join(folder, 'results'),
  kills: 1,
  growth: 96 * 1024,
  changesSchema: true,
  next: goOn,
};

const resume: Phase = {
  name: '--resume',
  prepare: (fixture, folder) => {
    take(fixture, folder, 'results');
    interrupt(join(folder, 'results', 'edgeflex.db'));
  },
  call: goOn,
  watched: (folder) => join(folder, 'results'),
  kills: 4,
  growth: 96 * 1024,
  next: goOn,
};

const report: Phase = {
  name: 'report',
  prepare: (fixture, folder) => {
    take(fixture, folder, 'results', 'reports');
  },
  call: ({ folder: fixture }, folder) => ({
    args: ['report', ...results(folder), '--reports', join(folder, 'reports')],
    env: envOf(join(fixture, 'cache')),
  }),
  watched: (folder) => join(folder, 'reports'),
  kills: 2,
  growth: 128 * 1024,
  outputFaults: (fixture, folder) =>
    readdirSync(join(fixture.folder, 'reports')).flatMap((run) =>
      folderFaults(
        join(folder, 'reports', run),
        digestsOf(join(fixture.folder, 'reports', run)) ?? new Map(),
      ),
    ),
  next: (fixture, folder) => report.call(fixture, folder),
};

const compress = (cache: 'from the cache' | 'made'): Phase => {
  const called = (fixture: Fixture, folder: string): Call =>
    compressCall(join(cache === 'made' ? folder : fixture.folder, 'cache'), folder, 'int8');
  return {
    name: `compress -o, ${cache}`,
    prepare: (fixture, folder) => {
      take(fixture, folder, 'out');
    },
    call: called,
    watched: (folder) => (cache === 'made' ? join(folder, 'cache') : folder),
    kills: 2,
    growth: 1024 * 1024,
    outputFaults: (fixture, folder) =>
      folderFaults(join(folder, 'out'), digestsOf(join(fixture.folder, 'out')) ?? new Map()),
    next: called,
  };
};

const prune: Phase = {
  name: 'runs prune',
  prepare: (fixture, folder) => {
    take(fixture, folder, 'results');
    multiplyRuns(join(folder, 'results', 'edgeflex.db'), 8);
  },
  call: (fixture, folder) => ({
    args: ['runs', 'prune', '--keep', '1', ...results(folder)],
    env: envOf(join(fixture.folder, 'cache')),
  }),
  watched: (folder) => join(folder, 'results'),
  kills: 1,
  growth: 64 * 1024,
  goes: (run) => run.includes('-copy-'),
  next: (fixture, folder) => prune.call(fixture, folder),
};

/** All phases, by name. */
export const phases: readonly Phase[] = [
  creation,
  ...oldSchemas.map(migration),
  measuring,
  resume,
  report,
  compress('from the cache'),
  compress('made'),
  prune,
];
