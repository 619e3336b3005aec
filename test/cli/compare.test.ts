import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseGates } from '../../src/analysis/compare/gates.js';
import { Database } from '../../src/base/sqlite.js';
import { SyntaxValidator } from 'fast-xml-validator';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import type { ComparisonDocument } from '../../src/report/compare/document.js';
import type { StoredFloor } from '../../src/store/floors.js';
import { edgeflex, type Outcome } from './support.js';

const root = packageRoot();
let folder: string;
let env: NodeJS.ProcessEnv;
let ids: string[];

/** Two real runs of a small suite, one after the other. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  env = { EDGEFLEX_CACHE: join(folder, 'cache') };
  const suite = join(folder, 'suite.yaml');
  await writeFile(
    suite,
    [
      'name: pair',
      `data: { name: shapes10, path: ${root}/suites/data/shapes10 }`,
      `models: [{ path: ${root}/suites/models/vit-micro-shapes10 }]`,
      `recipes: [${root}/suites/recipes/int8.yaml]`,
      `devices: [${root}/devices/local-cpu.yaml]`,
      'performance: { batches: [4], tier: smoke, rounds: 3 }',
    ].join('\n'),
  );
  const folders = ['--results', join(folder, 'results'), '--reports', join(folder, 'reports')];
  for (let i = 0; i < 2; i++) {
    const { code, err } = await edgeflex(['run', suite, ...folders, '--json'], env);
    expect(code, err).toBe(0);
  }
  const database = new Database(join(folder, 'results', 'edgeflex.db'));
  ids = database.prepare('select id from runs order by started_at').pluck().all() as string[];
  // What this machine was doing must not decide what can be compared.
  database.exec('delete from conditions');
  database.close();
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A copy of the results in which something is changed. */
async function changed(name: string, sql: string): Promise<string> {
  const results = join(folder, name);
  await mkdir(results, { recursive: true });
  const original = new Database(join(folder, 'results', 'edgeflex.db'));
  original.pragma('wal_checkpoint(TRUNCATE)');
  original.close();
  await copyFile(join(folder, 'results', 'edgeflex.db'), join(results, 'edgeflex.db'));
  const database = new Database(join(results, 'edgeflex.db'));
  database.exec(sql.replaceAll('NEW', `'${ids[1]!}'`));
  database.close();
  return results;
}

function compare(results: string, ...more: string[]): Promise<Outcome> {
  return edgeflex(['compare', ids[0]!, ids[1]!, '--results', results, ...more], env);
}

const roundsOf = (recipe: string, kind: string): string =>
  `(select rounds.id from rounds join cells on cells.id = cell_id join variants on variants.id = variant_id
    where cells.run_id = NEW and recipe = '${recipe}' and kind = '${kind}')`;
/** Latencies that are alike in all rounds of both runs, but longer in the newer one: what the machine did must not matter. */
const slow = (times: number): string =>
  `update samples set milliseconds = 10 + round_id % 3 * 0.01;
   update samples set milliseconds = milliseconds * ${times} where round_id in ${roundsOf('int8', 'performance')};
   delete from conditions;`;
/** A peak that is so many bytes higher in the newer run: of memory, since other processes may keep a latency from being decided again. */
const large = (bytes: number): string =>
  `update memory set bytes = bytes + ${bytes} where figure = 'peakResident' and phase <> 'prepare'
    and round_id in ${roundsOf('int8', 'performance')};`;
/** The gates of the newer run's suite: only of latency. */
const gated = (text: string): string =>
  `update runs set gates_json = '${JSON.stringify(parseGates(text))}' where id = NEW;`;
const flip = (images: number): string =>
  `update predictions set predicted = (label + 1) % 10 where round_id in ${roundsOf('int8', 'accuracy')} and image in
    (select image from predictions where predicted = label and round_id in ${roundsOf('int8', 'accuracy')} limit ${images});`;

describe('edgeflex compare', () => {
  test('says of two real runs what differs, for people and for programs', async () => {
    const results = join(folder, 'results');
    const people = await compare(results);
    expect(people.code, people.err).toBe(0);
    expect(people.out).toContain(`${ids[1]!} against ${ids[0]!} (pair)`);
    expect(people.out).toContain('local-cpu');
    const programs = await compare(results, '--json');
    const document = JSON.parse(programs.out) as ComparisonDocument;
    expect(document.schemaVersion).toBe(1);
    expect(document.uncompared).toEqual([]);
    expect(document.compared.map(({ recipe, metric }) => `${recipe} ${metric}`).sort()).toEqual(
      ['fp32', 'int8'].flatMap((recipe) =>
        ['accuracy', 'file', 'latency', 'memory'].map((each) => `${recipe} ${each}`),
      ),
    );
    // The same artifacts on the same images.
    for (const { metric, words } of document.compared)
      if (metric === 'accuracy' || metric === 'file')
        expect(words).toBe(metric === 'file' ? 'identical' : 'the same answers');
  });

  test('ends with 1 when a gate is broken, and with 0 when none is', async () => {
    const results = await changed('slow', slow(1.6));
    const broken = await compare(results, '--fail-on', 'latency:50%,file:1%');
    expect(broken.code, broken.err).toBe(1);
    expect(broken.out).toMatch(/latency:50% failed: int8, batch 4: (59|60)\.\d % slower/);
    const held = await compare(results, '--fail-on', 'file:1%');
    expect([held.code, held.out.includes('no gate failed')]).toEqual([0, true]);
  });

  test('announces no regression that a further run of the suite does not show', async () => {
    const results = await changed('once', large(8_000_000) + gated('memory:50%'));
    const { code, out, err } = await compare(results, '--confirm', join(folder, 'suite.yaml'));
    expect(code, err).toBe(0);
    expect(out).toMatch(
      /memory:50% could not be decided: int8, batch 4: [\d.]+ (%|times|×).* larger .*measured again/,
    );
    const database = new Database(join(results, 'edgeflex.db'), { readonly: true });
    expect(database.prepare('select count(*) from runs').pluck().get()).toBe(3);
    database.close();
  }, 120_000);

  test('refuses a gate for a variant that is not there, and a suite to confirm with that is none', async () => {
    const results = join(folder, 'results');
    const unknown = await compare(results, '--fail-on', 'latency@int9:5%');
    expect([unknown.code, unknown.err.includes('int8')]).toEqual([2, true]);
    const none = await compare(results, '--confirm', join(folder, 'none.yaml'));
    expect([none.code, none.err.includes('none.yaml')]).toEqual([2, true]);
    const other = await compare(results, '--confirm', join(root, 'suites', 'quickstart.yaml'));
    expect([other.code, other.err.includes('quickstart'), other.err.includes('pair')]).toEqual([
      2,
      true,
      true,
    ]);
  });

  test('takes the gates of the suite where none are given, and others where they are', async () => {
    const results = await changed('suite', slow(1.6) + gated('latency:50%'));
    expect((await compare(results)).code).toBe(1);
    expect((await compare(results, '--fail-on', 'latency:90%')).code).toBe(0);
  });

  test('ends with 1 when a cell failed that the reference has', async () => {
    const results = await changed(
      'failed',
      "update cells set status = 'failed', reason = 'out of memory' where run_id = NEW and kind = 'performance';",
    );
    const { code, out } = await compare(results, '--fail-on', 'memory:5%');
    expect(code).toBe(1);
    expect(out).toMatch(/memory:5% failed: fp32, batch 4; int8, batch 4: .*out of memory/);
  });

  test('tells three points of accuracy on 1,000 images from none, but not a tenth of a point', async () => {
    const of = async (images: number) => {
      const { out } = await compare(await changed(`flip${images}`, flip(images)), '--json');
      const { compared } = JSON.parse(out) as ComparisonDocument;
      return compared.find(({ recipe, metric }) => recipe === 'int8' && metric === 'accuracy')!;
    };
    const three = await of(30);
    expect(three.change.value).toBeCloseTo(-0.03, 12);
    expect(three.verdict).toBe('worse');
    expect(three.words).toMatch(/^3\.00 points worse/);
    const tenth = await of(1);
    expect(tenth.change.value).toBeCloseTo(-0.001, 12);
    expect(tenth.verdict).toBe('not distinguishable');
    expect(tenth.words).toMatch(
      /^no difference seen: between \d\.\d\d points worse and \d\.\d\d points better$/,
    );
  });

  test('refuses runs of different machines, names what differs, and compares them when it is forced', async () => {
    const results = await changed(
      'elsewhere',
      `update devices set threads = 16, environment_json =
        json_set(environment_json, '$.cpu.model', 'Another processor') where run_id = NEW;`,
    );
    const refused = await compare(results);
    expect([refused.code, refused.out]).toEqual([2, '']);
    expect(refused.err).toMatch(
      /processor of local-cpu: .+ in the reference, Another processor in the new run/,
    );
    expect(refused.err).toMatch(/threads of local-cpu: \d+ in the reference, 16 in the new run/);
    const forced = await compare(results, '--force', '--fail-on', 'file:1%');
    expect(forced.code).toBe(0);
    for (const format of ['terminal', 'markdown', 'json', 'github'])
      expect((await compare(results, '--force', '--format', format)).out).toContain('Another processor');
  });

  test('writes each format into the file that follows it', async () => {
    const [xml, comment] = [join(folder, 'out.xml'), join(folder, 'comment.md')];
    const results = join(folder, 'results');
    const { code, out } = await compare(
      results,
      ...['--format', 'junit', '-o', xml, '--format', 'markdown', '-o', comment],
    );
    expect(code).toBe(0);
    expect(out).toContain('against');
    const written = await readFile(xml, 'utf8');
    expect(() => SyntaxValidator.validate(written)).not.toThrow();
    expect(await readFile(comment, 'utf8')).toMatch(/^### EdgeFlex: pair\n/);
    expect((await compare(results, '-o', xml)).code).toBe(2);
    expect((await compare(results, '--format', 'pdf')).err).toContain(
      'terminal, markdown, json, junit, github',
    );
    const onto = await compare(results, '--format', 'json', '-o', folder);
    expect(onto.code).toBe(2);
    expect(onto.err).toContain(folder);
  });

  test.each([
    [['--fail-on', 'latency:fast'], /--fail-on: found latency:fast; expected gates/],
    [['--fail-on', ''], /--fail-on: found an empty gate/],
  ])('refuses %s', async (more, message) => {
    const { code, err } = await compare(join(folder, 'results'), ...more);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });
});

describe('edgeflex calibrate', () => {
  test('has a model of its own where none is named', async () => {
    const args = ['calibrate', 'local-cpu', '--batch', '1', '--tier', 'smoke', '--rounds', '8', '--json'];
    const { code, out, err } = await edgeflex([...args, '--results', join(folder, 'usual')], env);
    expect(code, err).toBe(0);
    expect((JSON.parse(out) as StoredFloor[]).map(({ metric }) => metric)).toEqual(['latency', 'memory']);
  });

  test('measures a model against itself, stores what the device can tell, and compare uses it', async () => {
    const results = await changed('calibrated', '');
    const model = join(root, 'suites/models/vit-micro-shapes10');
    const args = ['calibrate', join(root, 'devices/local-cpu.yaml'), '--model', model, '--results', results];
    const measured = await edgeflex(
      [...args, '--batch', '4', '--tier', 'smoke', '--rounds', '8', '--json'],
      env,
    );
    expect(measured.code, measured.err).toBe(0);
    const floors = JSON.parse(measured.out) as StoredFloor[];
    expect(floors.map(({ device, batch, metric, noise }) => [device, batch, metric, noise.rounds])).toEqual([
      ['local-cpu', 4, 'latency', 8],
      ['local-cpu', 4, 'memory', 8],
    ]);
    for (const { noise } of floors) expect(noise.pair).toBeGreaterThan(0);
    const list = await edgeflex(['calibrate', '--list', '--results', results], env);
    expect(list.out).toMatch(/local-cpu, batch 4: differences of latency below \d+(\.\d+)? % .* 5 rounds/);
    const { out } = await compare(results, '--json');
    const { compared, notes } = JSON.parse(out) as ComparisonDocument;
    expect(notes.filter((note) => note.includes('calibrated'))).toEqual([]);
    for (const { metric, floor } of compared)
      if (metric === 'latency' || metric === 'memory') expect(floor).toBeGreaterThan(0);
      else expect(floor).toBeNull();
    // The run is there like any other, and its raw data with it.
    const runs = await edgeflex(['runs', '--results', results], env);
    expect(runs.out).toContain('calibrate-local-cpu');
  }, 180_000);

  test.each([
    [[], /expected a device profile, such as local-cpu, or --list/],
    [['nowhere.yaml'], /nowhere.yaml: found no such file or folder; expected a device profile/],
    [['devices/local-cpu.yaml', '--batch', '1,1'], /different sizes/],
    [['devices/local-cpu.yaml', '--batch', '999999999999'], /4096/],
    [['devices/local-cpu.yaml', '--rounds', '100000000'], /1000/],
    [['devices/local-cpu.yaml', '--rounds', '3'], /from 8/],
    [['devices/local-cpu.yaml', '--tier', 'slow'], /smoke, rapid, quick, normal/],
  ])('refuses %j', async (args, message) => {
    const { code, err } = await edgeflex(['calibrate', ...args, '--results', join(folder, 'none')], env);
    expect(code).toBe(2);
    expect(err).toMatch(message);
  });

  test('knows nothing where nothing was calibrated', async () => {
    const { out, code } = await edgeflex(['calibrate', '--list', '--results', join(folder, 'results')], env);
    expect([code, out]).toEqual([0, 'No device has been calibrated yet.\n']);
  });
});
