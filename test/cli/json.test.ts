import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { packageRoot } from '../../src/base/paths.js';
import { commands } from '../../src/cli/commands.js';
import { SCHEMA_VERSION } from '../../src/report/document.js';
import { jsonExporter } from '../../src/report/exporters/json.js';
import { openStore } from '../../src/store/open.js';
import { storeExample } from '../analysis/support/example.js';
import { storedExample } from '../analysis/support/stored.js';
import { fullFactorial } from '../../src/suite/matrix/combinations.js';
import { storeAblation, switches } from '../analysis/ablation/support.js';
import { runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';
import { edgeflex } from './support.js';
import { reportSchema, schemasOf, type JsonSchema } from '../../scripts/json-schema.mjs';

const folder = useFolder();
let schemas: Readonly<Record<string, JsonSchema>> = {};

beforeAll(() => {
  schemas = schemasOf(packageRoot(), 'src/cli/json.ts', 'JsonOutputs');
}, 120_000);

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  const runs = runsOf(3, (index) => ({ milliseconds: 10 + index }));
  await storeHistory(db, 5, 0.01, runs);
  await db.destroy();
});

/** Prints what a command has for programs, and holds it against the schema of its name. */
async function checked(name: string, ...args: string[]): Promise<unknown> {
  const words = [...name.split(' '), ...args, '--json'];
  const { code, out, err } = await edgeflex(words, { EDGEFLEX_CACHE: folder('cache') });
  expect([code, err], words.join(' ')).toEqual([0, expect.any(String)]);
  const schema = schemas[name];
  expect(schema, name).toBeDefined();
  const document: unknown = JSON.parse(out);
  const parsed = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]).safeParse(document);
  expect(parsed.error?.issues ?? [], words.join(' ')).toEqual([]);
  return document;
}

/** Every command that takes `--json`, as it is typed. */
async function namesWithJson(): Promise<string[]> {
  const names: string[] = [];
  for (const entry of commands) {
    const command = await entry.load();
    for (const each of [command, ...command.commands])
      if (each.options.some(({ long }) => long === '--json'))
        names.push(each === command ? entry.name : `${entry.name} ${each.name()}`);
  }
  return names;
}

describe('--json', () => {
  it('is described of every command that has it', async () => {
    // Lists print what the command above them prints.
    const alike = ['suites list', 'recipes list'];
    const names = await namesWithJson();
    // Those with another flag are told from the command itself.
    const described = Object.keys(schemas).filter((name) => !name.includes(' --'));
    expect(names.filter((name) => !alike.includes(name)).sort()).toEqual(described.sort());
  });

  it('has a version wherever it is an object', () => {
    for (const [name, { type, required = [] }] of Object.entries(schemas))
      expect([name, type === 'array' || required.includes('schemaVersion')]).toEqual([name, true]);
  });

  it('is as described: of what is stored', async () => {
    const results = ['--results', folder('results')];
    const first = runOf(0);
    expect(await checked('runs', ...results)).toHaveLength(3);
    await checked('baseline set', 'main', first, ...results);
    expect(await checked('baseline list', ...results)).toMatchObject([{ name: 'main', runId: first }]);
    expect(await checked('history', 'tiny', ...results)).toMatchObject({ schemaVersion: 1, suite: 'tiny' });
    expect(await checked('report', first, ...results)).toMatchObject({ run: { id: first } });
    expect(await checked('compare', first, runOf(1), ...results)).toMatchObject({ run: { id: runOf(1) } });
    await checked('run --dry-run', 'quickstart', ...results);
    expect(await checked('query', 'select * from v_results', ...results)).toMatchObject({ more: false });
    expect(await checked('export', '--parquet', folder('parquet'), ...results)).toHaveProperty('files.6');
    await checked('query --views');
    await checked('query --describe', 'samples');
    await checked('calibrate', '--list', ...results);
    await checked('roofline', '--list', ...results);
    expect(await checked('runs prune', '--keep', '1', '--dry-run', ...results)).toMatchObject({
      schemaVersion: 1,
      dryRun: true,
      runs: [{ deleted: false }, { deleted: false }, { deleted: false }],
    });
    expect(await checked('runs export', folder('runs.db'), ...results)).toMatchObject({ schemaVersion: 1 });
    expect(await checked('runs import', folder('runs.db'), '--results', folder('other'))).toMatchObject({
      runs: [{ id: first, isNew: true }, { isNew: true }, { isNew: true }],
    });
    expect(await checked('store check', ...results)).toMatchObject({ schemaVersion: 1, faults: [] });
    await checked('store backup', folder('copy.db'), ...results);
    await checked('store recover', folder('recovered.db'), ...results);
    expect(await checked('baseline rm', 'main', ...results)).toMatchObject({ name: 'main', runId: first });
  });

  it('is as described: of what to buy', async () => {
    const db = await openStore(folder('bought', 'edgeflex.db'));
    await storeExample(db, { devices: ['laptop', 'board'], smooth: true });
    await db.destroy();
    await mkdir(folder('devices'));
    const profile = 'name: board\nkind: local\nprice: { amount: 85, currency: EUR }\npower: { load: 9 }\n';
    await writeFile(folder('devices', 'board.yaml'), profile);
    const places = ['--results', folder('bought'), '--devices', folder('devices')];
    const owned = ['--years', '3', '--energy-price', '0.32EUR', '--requests', '1000'];
    expect(await checked('procure', ...owned, '--max-latency', '1s', ...places)).toMatchObject({
      ...{ schemaVersion: 1, currency: 'EUR', decision: { kind: 'buy' } },
    });
    expect(await checked('devices compare', 'laptop', 'board', ...places)).toMatchObject({ currency: 'EUR' });
  });

  it('is as described: of the factors of a matrix', async () => {
    const design = switches(['prune', 'int8'], 'full-factorial', fullFactorial([2, 2]));
    const db = await openStore(folder('matrix', 'edgeflex.db'));
    const { row } = await storeAblation(db, design, 3, (_, [prune = 0, int8 = 0]) => ({
      milliseconds: (round) => 20 - 5 * prune - 8 * int8 + 0.1 * round,
      failed: prune === 1 && int8 === 0,
    }));
    await db.destroy();
    const words = ['--reference', 'int8', '--results', folder('matrix')];
    const expected = { schemaVersion: 1, run: row.id, reference: 'int8' };
    expect(await checked('ablation', ...words)).toMatchObject(expected);
    expect(await checked('report', '--results', folder('matrix'))).toMatchObject({ ablation: { design } });
  });

  it('is as described: of what comes with EdgeFlex, of this machine and of the cache', async () => {
    for (const name of ['suites', 'recipes', 'stages', 'devices list', 'devices kinds', 'data list'])
      expect(await checked(name)).not.toEqual([]);
    expect(await checked('suites show', 'quickstart')).toMatchObject({
      schemaVersion: 1,
      name: 'quickstart',
    });
    await checked('recipes show', 'edgeflex');
    await checked('devices describe', 'local-cpu');
    expect(await checked('devices check', 'local-cpu')).toMatchObject([{ device: 'local-cpu' }]);
    await checked('data check', 'shapes10');
    for (const name of ['cache list', 'cache size', 'cache verify', 'cache prune', 'cache clear'])
      await checked(name);
  });

  it('is as described: of a model that is compressed, and of what then lies in the cache', async () => {
    const output = ['--recipe', 'int8', '-o', folder('out')];
    expect(await checked('compress', 'vit-micro-shapes10', ...output)).toMatchObject({ schemaVersion: 1 });
    expect(await checked('cache list')).not.toEqual([]);
  }, 60_000);
});

describe('docs/reference/report.schema.json', () => {
  const file = (): JsonSchema & { readonly title: string } =>
    JSON.parse(
      readFileSync(join(packageRoot(), 'docs', 'reference', 'report.schema.json'), 'utf8'),
    ) as JsonSchema & { readonly title: string };

  it('is that of the type whose documents are written: npm run docs', () => {
    expect(file()).toEqual(JSON.parse(JSON.stringify(reportSchema(schemas['report']!))));
    expect(file().title).toContain(`version ${SCHEMA_VERSION}`);
  });

  it('takes real reports, and none with a field more, a field less or of another version', async () => {
    const schema = z.fromJSONSchema(file() as Parameters<typeof z.fromJSONSchema>[0]);
    const takeovers = [{ device: 'board-2@rack', since: '2026-11-22T10:20:00.000Z', rounds: 3 }];
    const { analysis } = await storedExample(
      folder('example.sqlite'),
      { devices: ['laptop', 'board'] },
      (database) =>
        void database
          .prepare("update devices set takeovers_json = ? where name = 'board'")
          .run(JSON.stringify(takeovers)),
    );
    const text = await jsonExporter.render(analysis);
    const whole = JSON.parse(text) as object;
    expect(whole).toMatchObject({
      devices: [
        { name: 'laptop', takeovers: [] },
        { name: 'board', takeovers },
      ],
    });
    expect(schema.safeParse(whole).error?.issues ?? []).toEqual([]);
    const places: (readonly (string | number)[])[] = [
      ...[
        [],
        ['run'],
        ['run', 'data'],
        ['devices', 0],
        ['variants', 1],
        ['results', 1],
        ['results', 1, 'accuracy'],
      ],
      ...[
        ['results', 1, 'accuracy', 'top1'],
        ['results', 1, 'accuracy', 'judgement'],
        ['results', 1, 'performance', 1],
      ],
      ...[
        ['results', 1, 'performance', 1, 'speedup'],
        ['results', 1, 'performance', 1, 'memory'],
        ['agreement', 0],
      ],
    ];
    for (const place of places) {
      const changed = (change: (at: Record<string, unknown>) => void): boolean => {
        const copy = structuredClone(whole);
        const at = place.reduce<unknown>(
          (each, key) => (each as Record<string | number, unknown>)[key],
          copy,
        );
        change(at as Record<string, unknown>);
        return schema.safeParse(copy).success;
      };
      const at = place.reduce<unknown>((each, key) => (each as Record<string | number, unknown>)[key], whole);
      expect(changed(() => undefined)).toBe(true);
      expect(
        changed((object) => (object['more'] = 1)),
        `${place.join('.')}: one more`,
      ).toBe(false);
      // A session's profile may be anything, also nothing.
      for (const field of Object.keys(at as object).filter((key) => key !== 'profile' && key !== 'stages'))
        expect(
          changed((object) => Reflect.deleteProperty(object, field)),
          `${place.join('.')}: without ${field}`,
        ).toBe(false);
    }
    expect(schema.safeParse({ ...whole, schemaVersion: SCHEMA_VERSION + 1 }).success).toBe(false);
  });
});

describe('a schema of a type', () => {
  it('refuses a field that is not described, one that is missing, and a value of another type', () => {
    const schema = z.fromJSONSchema(schemas['store backup'] as Parameters<typeof z.fromJSONSchema>[0]);
    const whole = { schemaVersion: 1, path: 'a', copy: 'b' };
    expect(schema.safeParse(whole).success).toBe(true);
    expect(schema.safeParse({ ...whole, more: 1 }).success).toBe(false);
    expect(schema.safeParse({ schemaVersion: 1, path: 'a' }).success).toBe(false);
    expect(schema.safeParse({ ...whole, copy: 1 }).success).toBe(false);
    expect(schema.safeParse({ ...whole, schemaVersion: 2 }).success).toBe(false);
  });
});
