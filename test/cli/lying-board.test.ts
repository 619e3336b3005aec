import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { parseFailure, type CellFailure } from '../../src/protocol/failure.js';
import { openStore, type Db } from '../../src/store/open.js';
import { findRun, loadLogits, loadRun, type StoredCell } from '../../src/store/read.js';
import { microDirectory, shapesDirectory } from '../support/micro.js';
import { edgeflex, type Outcome } from './support.js';

/** What plays the board: `ssh` in `bin/`, and what a shell there finds in `board/`. */
const board = join(packageRoot(), 'test', 'support', 'lying-board');

/** The cell that a lie fails, and what its reason is to say. */
type Expected = readonly [cell: 'accuracy' | 'performance', reason: Partial<CellFailure>];

const broken = (cell: Expected[0], text: string): Expected => [
  cell,
  { kind: 'protocol-broken', text: expect.stringContaining(text) as string },
];

const lies: Readonly<Record<string, Expected>> = {
  'dup-phase': broken('accuracy', '"load" twice'),
  'dup-logits': broken('accuracy', 'logits of image 0 where those of image 1 are due'),
  'no-image': broken('accuracy', 'logits of no image'),
  classes: broken('accuracy', '20 classes'),
  nan: ['accuracy', { kind: 'logits-not-finite', found: 'NaN' }],
  'after-end': broken('accuracy', '"phase" after the end'),
  'endless-progress': broken('accuracy', 'events in one task'),
  'endless-line': broken('accuracy', 'bytes'),
  failed: [
    'accuracy',
    { kind: 'agent-failed', text: expect.stringContaining('the board gave up') as string },
  ],
  zero: broken('performance', 'a latency in ms of 0'),
  huge: broken('performance', '1e+308'),
  negative: broken('performance', '-5'),
  'other-answers': ['performance', { kind: 'logits-differ', from: 'accuracy-pass', image: 0 }],
};

let folder: string;
let environment: NodeJS.ProcessEnv;
let outcome: Outcome;
let db: Db;
let cells: readonly StoredCell[];

/** Runs a suite on devices, which keeps its results beside it. */
async function run(name: string, devices: readonly string[], batches: readonly number[]): Promise<Outcome> {
  const suite = {
    name,
    data: { name: 'shapes10', path: shapesDirectory },
    models: [{ path: microDirectory }],
    devices: devices.map((device) => `${device}.yaml`),
    accuracy: { batch: 1, images: 1 },
    performance: { batches, tier: 'smoke', rounds: 1 },
  };
  await writeFile(join(folder, `${name}.json`), JSON.stringify(suite));
  const places = ['--results', join(folder, name), '--reports', join(folder, name)];
  return edgeflex(['run', join(folder, `${name}.json`), ...places], environment);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  const home = join(folder, 'home');
  await mkdir(home);
  environment = {
    ...{ LYING_HOME: home, LYING_NODE: process.execPath, EDGEFLEX_CACHE: join(folder, 'cache') },
    PATH: `${join(board, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
  };
  await writeFile(join(folder, 'here.yaml'), 'name: here\nkind: local\nthreads: 1\n');
  for (const lie of Object.keys(lies))
    await writeFile(
      join(folder, `${lie}.yaml`),
      `name: ${lie}\nkind: ssh\nhost: ${lie}\nthreads: 1\nrestart: 0\n`,
    );
  // All else that the board says is true, its logits too.
  expect(await run('truth', ['here'], [])).toMatchObject({ code: 0 });
  const truth = await openStore(join(folder, 'truth', 'edgeflex.db'));
  const [scored] = (await loadRun(truth, await findRun(truth, ''))).cells;
  const { values } = (await loadLogits(truth, scored?.row.id ?? 0)) ?? {};
  await truth.destroy();
  await writeFile(join(home, 'logits.json'), JSON.stringify([...(values ?? [])]));
  outcome = await run('lies', [...Object.keys(lies), 'here'], [1]);
  db = await openStore(join(folder, 'lies', 'edgeflex.db'));
  cells = (await loadRun(db, await findRun(db, ''))).cells;
}, 300_000);

afterAll(async () => {
  await db.destroy();
  await rm(folder, { recursive: true, force: true });
});

/** What became of a device's cells. */
const statuses = (name: string): Record<string, string> =>
  Object.fromEntries(
    cells.filter(({ device }) => device.row.name === name).map(({ row }) => [row.kind, row.status]),
  );

describe('boards that lie', () => {
  it('do not end the run, and are no reason to call it a success', async () => {
    expect(outcome).toMatchObject({ code: 3 });
    const { row } = await loadRun(db, await findRun(db, ''));
    expect(row.ended_at).not.toBeNull();
  });

  it('take nothing from this machine', () => {
    expect(statuses('here')).toEqual({ accuracy: 'done', kernels: 'done', performance: 'done' });
  });

  it('do not reach the terminal with what is a command to it', () => {
    expect(outcome.err + outcome.out).toContain('the board gave up');
    for (const command of ['\u001b[2J', '\u001b]52', '\u0007'])
      expect(outcome.err + outcome.out).not.toContain(command);
  });

  it.each(Object.entries(lies))('fail their own cell, with the reason: %s', (lie, [kind, reason]) => {
    const cell = cells.find(({ device, row }) => device.row.name === lie && row.kind === kind);
    expect(cell?.row.status).toBe('failed');
    expect(parseFailure(cell?.row.reason ?? '')).toMatchObject(reason);
    if (kind === 'accuracy') expect(Object.values(statuses(lie))).not.toContain('done');
    else expect(statuses(lie)).toMatchObject({ accuracy: 'done', kernels: 'done' });
  });
});
