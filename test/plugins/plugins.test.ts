import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Database } from '../../src/base/sqlite.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { exitCodes } from '../../src/cli/failure.js';
import { edgeflexProcess, type Outcome } from '../cli/support.js';

let root = '';
const folder = (...names: string[]): string => join(root, ...names);

/** A plug-in with one of everything: a module as its users write it, in one file. */
const plugin = (scale: number): string => `
export default (edgeflex) => {
  const { defineStage, registerStage, stageFacts, z, withWeights, weightOf, float32 } = edgeflex;
  registerStage(defineStage({
    name: 'scale-head',
    version: 1,
    description: 'Multiplies the head: a toy that changes no class.',
    options: z.strictObject({ by: z.number().positive().default(${scale}).describe('What the head is multiplied by.') }),
    report: z.object({ by: z.number(), elements: z.number() }),
    effort: () => 1,
    shape: (vit) => vit,
    async apply(vit, context, { by }) {
      context.onProgress(0.5, 'multiplying');
      const scaled = async (name) => {
        const { dims } = weightOf(vit, name);
        const bytes = await weightOf(vit, name).read();
        const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
        return [name, float32(dims, values.map((value) => value * by))];
      };
      const entries = [await scaled('head.weight'), await scaled('head.bias')];
      return { vit: withWeights(vit, entries), report: { by, elements: 1290 } };
    },
    summarise: ({ by }) => stageFacts({ headline: [{ label: 'head multiplied by', value: by, unit: 'times' }] }),
  }));
  edgeflex.registerExporter({ name: 'names', extension: 'names.txt', render: ({ run }) => run.variants.map(({ recipe }) => recipe).join() });
  edgeflex.registerDataset(edgeflex.defineDataset({
    name: 'drawings',
    folder: 'drawings',
    builtIn: ${JSON.stringify(join(packageRoot(), 'suites', 'data', 'shapes10'))},
    hint: 'It comes with the plug-in.',
    ...edgeflex.binaryDataset('drawings', { train: /^train\\.bin$/, test: /^test\\.bin$/, labels: 'labels.txt' }),
  }));
  edgeflex.registerDevice(edgeflex.defineDevice({
    kind: 'x-here',
    description: 'This machine by another name.',
    options: z.strictObject({ threads: z.number().int().positive() }),
    async open(profile, { threads }) {
      const device = await edgeflex.openDevice(edgeflex.localProfile({ threads }));
      return { ...device, profile };
    },
  }));
};
`;

const suite = (stage = 'scale-head'): string => `
name: toys
plugins: [./toys.mjs]
data: { name: drawings }
models: [{ path: ${join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10')} }]
recipes: [{ name: scaled, stages: [{ ${stage}: {} }] }]
devices: [here.yaml]
accuracy: { images: 16 }
performance: { batches: [1], tier: smoke, rounds: 1 }
`;

const run = (...args: string[]): Promise<Outcome> =>
  edgeflexProcess(
    ['run', folder('suite.yaml'), '--results', folder('results'), '--reports', folder('reports'), ...args],
    { EDGEFLEX_CACHE: folder('cache') },
  );

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  await writeFile(folder('here.yaml'), 'name: here\nkind: x-here\noptions: { threads: 1 }\n');
  await writeFile(folder('suite.yaml'), suite());
  await writeFile(folder('toys.mjs'), plugin(2));
});

afterAll(() => rm(root, { recursive: true, force: true }));

describe('a plug-in', () => {
  it('brings a stage, a dataset, a kind of device and a format, which a run uses and records', async () => {
    const outcome = await run();
    expect(outcome.err).not.toContain('error');
    expect(outcome.code).toBe(exitCodes.fine);
    expect(outcome.out).toContain('scaled');
    const page = /Report: (.+)$/m.exec(outcome.out)?.[1] ?? '';
    const html = await readFile(page, 'utf8');
    for (const fact of ['scale-head', 'head multiplied by', '2.00×', 'toys.mjs'])
      expect(html).toContain(fact);
    expect(await readFile(page.replace(/html$/, 'names.txt'), 'utf8')).toBe('fp32,scaled');
    const db = new Database(folder('results', 'edgeflex.db'), { readonly: true });
    const row = db.prepare('select plugins_json, data_json from runs').get() as Record<string, string>;
    db.close();
    expect(JSON.parse(row['plugins_json'] ?? '')).toEqual([
      { name: './toys.mjs', version: null, digest: expect.stringMatching(/^[0-9a-f]{64}$/) as unknown },
    ]);
    expect(row['data_json']).toContain('drawings');
    expect(html).toContain((JSON.parse(row['plugins_json'] ?? '') as { digest: string }[])[0]?.digest);
  });

  it('that has changed makes its variants anew, and no run that it took part in goes on', async () => {
    await writeFile(folder('toys.mjs'), plugin(3));
    const resumed = await run('--resume');
    expect(resumed.code).toBe(exitCodes.usage);
    const again = await run();
    expect(again.code).toBe(exitCodes.fine);
    const page = /Report: (.+)$/m.exec(again.out)?.[1] ?? '';
    expect(await readFile(page, 'utf8')).toContain('3.00×');
  });

  it('is listed with its options once edgeflex.config names it', async () => {
    await writeFile(folder('edgeflex.config.yaml'), 'plugins: [./toys.mjs]\n');
    const listed = await edgeflexProcess(
      ['stages', '--json'],
      { EDGEFLEX_CACHE: folder('cache') },
      folder('.'),
    );
    const stages = JSON.parse(listed.out) as { name: string; plugin: unknown; options: { name: string }[] }[];
    const toy = stages.find(({ name }) => name === 'scale-head');
    expect(toy?.options.map(({ name }) => name)).toEqual(['by']);
    expect(toy?.plugin).toMatchObject({ name: './toys.mjs' });
    expect(stages.find(({ name }) => name === 'prune')?.plugin).toBeNull();
    const help = await edgeflexProcess(['compress', '--help'], {}, folder('.'));
    expect(help.code).toBe(exitCodes.fine);
    for (const fact of ['scale-head', './toys.mjs', 'drawings']) expect(help.out).toContain(fact);
  });

  it('that cannot be loaded stops every command, but shows its help', async () => {
    await writeFile(folder('edgeflex.config.yaml'), 'plugins: [./gone.mjs]\n');
    const listed = await edgeflexProcess(['stages'], {}, folder('.'));
    expect(listed.code).toBe(exitCodes.usage);
    for (const fact of ['edgeflex.config.yaml', './gone.mjs']) expect(listed.err).toContain(fact);
    const help = await edgeflexProcess(['compress', '--help'], {}, folder('.'));
    expect(help.code).toBe(exitCodes.fine);
    expect(help.out).toContain('prune');
    await rm(folder('edgeflex.config.yaml'));
  });

  it.each([
    ['is not there', './nowhere.mjs', ''],
    ['is no plug-in', './other.mjs', 'export const answer = 42;'],
    ['brings a stage that there is already', './other.mjs', plugin(1).replaceAll("'scale-head'", "'prune'")],
  ])('that %s is refused with its name and the file that names it', async (_, name, text) => {
    await writeFile(folder('other.mjs'), text);
    await writeFile(folder('suite.yaml'), suite().replace('./toys.mjs', name));
    const outcome = await run();
    expect(outcome.code).toBe(exitCodes.usage);
    for (const fact of [name, 'suite.yaml', 'plugins']) expect(outcome.err).toContain(fact);
  });

  it('is told from a stage that nobody brought, and the nearest is named', async () => {
    await writeFile(folder('suite.yaml'), suite('scale-haed'));
    const outcome = await run();
    expect(outcome.code).toBe(exitCodes.usage);
    for (const fact of ['suite.yaml:6', '"scale-haed"', '"scale-head"', 'prune'])
      expect(outcome.err).toContain(fact);
  });
});
