import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exitCodes } from '../../src/cli/failure.js';
import { packageRoot } from '../../src/base/paths.js';
import { loadFolder } from '../support/load.js';
import { directoryOf, safetensorsBytes } from '../vit/checkpoint.js';
import { backboneFiles } from '../support/backbone.js';
import { renamed } from '../vit/rename.js';
import { ID, startHub, type TestHub } from '../net/hub-server.js';
import { useFolder } from '../support/folder.js';
import { microDirectory } from '../support/micro.js';
import { edgeflex, type Outcome } from './support.js';

const folder = useFolder();

/** A suite that only scores its model. */
async function suiteOnly(): Promise<string> {
  const path = folder('suite.yaml');
  await writeFile(
    path,
    [
      'name: scored',
      'data: { name: shapes10 }',
      'models: [{ synthetic: vit-tiny, imageSize: 32 }]',
      `devices: [${join(packageRoot(), 'devices', 'local-cpu.yaml')}]`,
      'accuracy: { batch: 50, images: 200 }',
      'performance: { batches: [] }',
    ].join('\n'),
  );
  return path;
}

async function run(
  model: string,
  env: NodeJS.ProcessEnv = {},
  more: readonly string[] = [],
): Promise<Outcome> {
  const places = ['--results', folder('results'), '--reports', folder('reports')];
  return edgeflex(['run', await suiteOnly(), '--model', model, '--json', ...places, ...more], {
    ...{ EDGEFLEX_CACHE: folder('cache'), HF_TOKEN: '' },
    ...env,
  });
}

interface Report {
  readonly variants: readonly {
    readonly model: string;
    readonly head: string;
    readonly source: {
      readonly source: string;
      readonly naming: string;
      readonly hub?: { readonly commit: string };
      readonly notes: readonly string[];
    };
  }[];
  readonly results: readonly {
    readonly accuracy: { readonly correct: number; readonly top1: { readonly value: number } };
  }[];
}

/** The built-in model without its classifier, on a Hub. */
async function backboneHub(): Promise<TestHub> {
  return startHub({ files: await backboneFiles() });
}

describe('edgeflex run --model', () => {
  test('fetches a backbone from the Hub, fits a head to it, and reports both', async () => {
    const hub = await backboneHub();
    const { code, out, err } = await run(`${ID}@main`, { HF_ENDPOINT: hub.url });
    expect(err).not.toContain('Error');
    expect(code).toBe(exitCodes.fine);
    const { variants, results } = JSON.parse(out) as Report;
    expect(variants).toMatchObject([
      { model: 'vit-micro', head: 'fitted', source: { source: 'hub', hub: { commit: hub.commit } } },
    ]);
    expect(results[0]!.accuracy.top1.value).toBeGreaterThan(0.7);
    const page = await edgeflex(
      ['report', '--results', folder('results'), '--reports', folder('reports')],
      {},
    );
    const directory = dirname(page.out.trim());
    const table = await readFile(join(directory, 'report.md'), 'utf8');
    expect(table).toMatch(/\| variant +\| head +\|/);
    expect(table).toMatch(/\| fp32 +\| fitted +\|/);
    for (const text of [table, await readFile(join(directory, 'report.html'), 'utf8')]) {
      expect(text).toContain(`commit ${hub.commit}`);
      expect(text).toContain('Head: fitted here by ridge regression in closed form on 512 training images');
    }
    expect(await readFile(join(directory, 'report.csv'), 'utf8')).toContain(',fitted,');
  });

  test('fits a head of another kind to it where that is asked for', async () => {
    const hub = await backboneHub();
    const logistic = await run(`${ID}@main`, { HF_ENDPOINT: hub.url }, ['--head', 'logistic']);
    expect(logistic.code).toBe(exitCodes.fine);
    const fitted = JSON.parse(logistic.out) as Report;
    expect(fitted.variants).toMatchObject([
      { head: 'fitted', source: { fittedHead: { kind: 'logistic', images: 512 } } },
    ]);
    expect(fitted.results[0]!.accuracy.top1.value).toBeGreaterThan(0.7);
  });

  test('leaves it without a head where that is asked for, and fits none anew then', async () => {
    const hub = await backboneHub();
    const without = await run(`${ID}@main`, { HF_ENDPOINT: hub.url }, ['--head', 'none']);
    expect(without.code).toBe(exitCodes.fine);
    const { variants, results } = JSON.parse(without.out) as Report;
    expect(variants).toMatchObject([{ head: 'none', source: { hub: { commit: hub.commit } } }]);
    expect(variants[0]!.source).not.toHaveProperty('fittedHead');
    expect(results).toMatchObject([{ features: { width: 128, neighbours: 20, meanCosine: null } }]);
    expect(results[0]!.accuracy.top1.value).toBeGreaterThan(0.5);
    const refit = await run(`${ID}@main`, { HF_ENDPOINT: hub.url }, ['--head', 'none', '--refit']);
    expect(refit.code).toBe(exitCodes.usage);
    expect(refit.err).toContain('--refit');
  });

  test('takes a checkpoint of torchvision, and says what it assumes', async () => {
    const { vit } = await loadFolder(microDirectory);
    const directory = await directoryOf({
      'model.safetensors': safetensorsBytes(await renamed(vit, 'torchvision')),
      'config.json': JSON.stringify({ num_attention_heads: 4, layer_norm_eps: 1e-12 }),
      'preprocessor_config.json': await readFile(join(microDirectory, 'preprocessor_config.json')),
    });
    const theirs = JSON.parse((await run(directory)).out) as Report;
    const ours = JSON.parse((await run(microDirectory)).out) as Report;
    expect(theirs.variants[0]!.source).toEqual({
      ...{ source: 'directory', naming: 'torchvision' },
      notes: [expect.stringContaining('class 0') as string],
    });
    expect(theirs.results[0]!.accuracy.correct).toBe(ours.results[0]!.accuracy.correct);
  });

  test('refuses what is nowhere, in one message', async () => {
    const nothing = await run('./nowhere');
    expect(nothing.code).toBe(exitCodes.usage);
    expect(nothing.err).toMatch(/^.*\.\/nowhere: found no such .*; expected a directory with a model/);
    const hub = await backboneHub();
    const unknown = await run('someone/else', { HF_ENDPOINT: hub.url });
    expect(unknown.code).toBe(exitCodes.usage);
    expect(unknown.err).toContain('someone/else: found no such model');
    const offline = await run(ID, { HF_ENDPOINT: 'http://127.0.0.1:1' });
    expect(offline.code).toBe(exitCodes.device);
    expect(offline.err).toContain('http://127.0.0.1:1: no connection');
  });
});
