import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import {
  analyse,
  calibrate,
  checkDevice,
  cleanDevice,
  compare,
  compress,
  fetchImages,
  InputError,
  listDevices,
  listImages,
  open,
  procure,
  run,
} from '../../src/library/index.js';

let root = '';
const folder = (...names: string[]): string => join(root, ...names);
const few = { images: 16, batches: [1], tier: 'smoke', rounds: 1 } as const;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'edgeflex-library-'));
  vi.stubEnv('EDGEFLEX_CACHE', folder('cache'));
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

/** What a call is refused with. */
async function refusal(call: PromiseLike<unknown>): Promise<InputError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return error as InputError;
}

describe('compress', () => {
  it('applies a recipe that the program makes, writes the files it names, and tells its stages', async () => {
    const job = compress('vit-micro-shapes10', {
      recipe: { name: 'half', stages: [{ prune: { ratio: 0.5 } }] },
      output: folder('out'),
    });
    const kinds = new Set<string>();
    for await (const event of job) kinds.add(event.kind);
    const { report, files, cached, search } = await job;
    expect([...kinds]).toContain('compressing');
    expect(report.stages.map(({ stage }) => stage)).toEqual(['prune']);
    expect([report.recipe, cached, search]).toEqual(['half', false, undefined]);
    const written = JSON.parse(await readFile(files.report, 'utf8')) as { parameters: number };
    expect(written.parameters).toBe(report.parameters);
    expect((await readFile(files.model)).length).toBeGreaterThan(0);
  });

  it('refuses a recipe with an unknown stage, an unknown option, and neither recipe nor target', async () => {
    const output = folder('refused');
    const stages = [{ prume: {} }];
    const unknown = await refusal(compress('vit-micro-shapes10', { recipe: { name: 'a', stages }, output }));
    expect(unknown.fault).toMatchObject({ source: 'recipe', place: 'stages.0.prume' });
    expect(unknown.fault.found).toContain('did you mean "prune"');
    const misspelt = await refusal(
      compress('vit-micro-shapes10', { recipe: 'int8', output, ouput: '' } as never),
    );
    expect(misspelt.fault.place).toBe('options.ouput');
    const neither = await refusal(compress('vit-micro-shapes10', { output }));
    expect(neither.fault.source).toBe('compress');
  });
});

describe('a run', () => {
  it('is measured, analysed and compared by functions alone', async () => {
    const seen: string[] = [];
    const job = run(folder('results'), 'quickstart', few);
    for await (const event of job) if (!seen.includes(event.kind)) seen.push(event.kind);
    const ended = await job;
    expect(seen).toEqual(expect.arrayContaining(['started', 'compressed', 'measuring', 'measured']));
    expect(ended).toMatchObject({ suite: 'quickstart', state: 'complete', failed: 0 });

    const results = await open(folder('results'), { readonly: true });
    expect((await results.runs()).map(({ id }) => id)).toEqual([ended.id]);
    const { document, newest } = await analyse(results);
    expect([document.run.id, newest?.run.id]).toEqual([ended.id, ended.id]);
    expect(document.results.map(({ recipe }) => recipe)).toEqual(['fp32', 'pruned', 'int8', 'edgeflex']);
    const page = await (await analyse(results)).writeReport(folder('reports'), { models: true });
    const variants = ['fp32', 'pruned', 'int8', 'edgeflex'];
    for (const recipe of variants) {
      expect(await readFile(page, 'utf8')).toContain(`href="models/${recipe}.html"`);
      const own = await readFile(join(dirname(page), 'models', `${recipe}.html`), 'utf8');
      expect(own.match(/alt="what this variant looks at in test image/g), recipe).toHaveLength(4);
      expect(own).toContain('Memory by node');
    }
    const comparison = await compare(results, ended.id, { run: ended.id, gates: 'file:5%' });
    expect(comparison.document.reference).toEqual(comparison.document.run);
    expect(comparison.broken).toEqual([]);
    expect(comparison.render('markdown')).toContain('file');
    expect(() => comparison.render('markdwon')).toThrow(InputError);
    const bought = await procure(results, { limits: { accuracy: '1%' }, batch: 1 });
    expect(bought.document.runs).toEqual([ended.id]);
    expect([bought.qualifies, bought.document.decision.kind]).toEqual([true, 'undecided']);
    const misspelt = await refusal(procure(results, { limits: { latncy: '30ms' } } as never));
    expect(misspelt.fault.place).toBe('options.limits.latncy');
    await results.close();
  }, 300_000);

  it('stops with the reason of its signal, and leaves what resume goes on with', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const job = run(folder('stopped'), 'quickstart', { ...few, signal: controller.signal });
    const watch = async (): Promise<void> => {
      for await (const event of job) if (event.kind === 'measured') controller.abort(reason);
    };
    await expect(watch()).rejects.toBe(reason);
    await expect(job).rejects.toBe(reason);
    const resumed = await run(folder('stopped'), 'quickstart', { ...few, resume: true });
    expect([resumed.state, resumed.pending]).toEqual(['complete', 0]);
  }, 300_000);

  it('refuses what it is not given in the right form, and makes nothing then', async () => {
    const place = async (options: object): Promise<string | undefined> =>
      (await refusal(run(folder('none'), 'quickstart', options))).fault.place;
    expect(await place({ batches: [0] })).toBe('options.batches.0');
    expect(await place({ tier: 'slow' })).toBe('options.tier');
    expect(await place({ rouns: 1 })).toBe('options.rouns');
    const twice = await refusal(calibrate(folder('none'), 'local-cpu', { batches: [1, 1] }));
    expect(twice.fault.place).toBe('options.batches');
    await refusal(run(folder('none'), 'quickstrat'));
    await refusal(open(folder('none'), { readonly: true }));
  });
});

describe('devices and images', () => {
  it('are listed and checked; what cannot be is refused', async () => {
    const listed = await listDevices();
    expect(listed.map((each) => ('profile' in each ? each.profile.name : each.fault))).toContain('local-cpu');
    expect((await checkDevice('local-cpu')).device).toBe('local-cpu');
    expect((await refusal(cleanDevice('local-cpu'))).fault).toMatchObject({ place: 'kind', found: 'local' });
    await refusal(listDevices(folder('none')));
    expect((await listImages()).map(({ name }) => name)).toContain('shapes10');
    expect((await refusal(fetchImages('cifar10', { md5: 1 } as never))).fault.place).toBe('options.md5');
  });
});

describe('edgeflex/statistics', () => {
  it('takes nothing that only Node has', async () => {
    const { metafile } = await build({
      entryPoints: [join(packageRoot(), 'src', 'library', 'statistics.ts')],
      ...{
        bundle: true,
        write: false,
        metafile: true,
        format: 'esm',
        platform: 'browser',
        logLevel: 'silent',
      },
    });
    const imports = Object.values(metafile.inputs).flatMap((input) => input.imports);
    expect(imports.length).toBeGreaterThan(10);
    expect(imports.filter(({ external, path }) => external === true || path.startsWith('node:'))).toEqual([]);
  });
});
