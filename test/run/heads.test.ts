import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { analyse } from '../../src/analysis/analysis.js';
import { refitEffects } from '../../src/analysis/figures/refit.js';
import { headOf, modelRecordOf } from '../../src/analysis/model.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { stepOf } from '../../src/compress/stage.js';
import { correctHeadStage } from '../../src/compress/stages/correct-head.js';
import { pruneStage } from '../../src/compress/stages/prune.js';
import { reportDocument } from '../../src/report/document.js';
import { csvExporter } from '../../src/report/exporters/csv.js';
import { markdownExporter } from '../../src/report/exporters/markdown.js';
import { availableParallelism } from 'node:os';
import { withFittingHead } from '../../src/run/fit-head.js';
import type { Engine } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { findRun, loadRun, type StoredRun } from '../../src/store/read.js';
import { withOverrides } from '../../src/suite/read.js';
import { modelNotes } from '../../src/text/model-notes.js';
import { entryFolders } from '../support/cache.js';
import { loadModelFor, modelHere } from '../../src/model/load.js';
import { microDirectory } from '../support/micro.js';
import { INPUT } from '../../src/vit/graph/embedding.js';
import { weightOf, withWeights } from '../../src/vit/vit.js';
import { float32 } from '../../src/onnx/tensor.js';
import { data, useRuns } from './support.js';

const { folder, db, suite, execute } = useRuns();

async function stored(id: string): Promise<StoredRun> {
  return loadRun(db(), await findRun(db(), id));
}

describe('a head that is fitted anew behind a recipe', () => {
  it('is a row beside the recipe, and what it gave is told with its test', async () => {
    const only = { performance: { batches: [], tier: 'smoke' as const, rounds: 1 } };
    const asked = withOverrides(suite({ ...only, head: { kind: 'logistic', images: 90, refit: false } }), {
      ...{ devices: [], images: 200, head: { refit: true } },
    });
    expect(asked.recipes.map(({ recipe }) => recipe.name)).toEqual(['fp32', 'int8', 'int8+head']);
    const { id, failedCells } = await execute(asked);
    expect(failedCells).toBe(0);
    const run = await stored(id);
    expect(run.variants.map((variant) => [variant.recipe, headOf(variant)])).toEqual([
      ['fp32', 'trained'],
      ['int8', 'trained'],
      ['int8+head', 'refitted'],
    ]);
    const [effect, ...more] = refitEffects(run);
    expect(more).toEqual([]);
    expect([effect!.variant.recipe, effect!.without.recipe, effect!.images]).toEqual([
      'int8+head',
      'int8',
      200,
    ]);
    const predictions = (recipe: string): readonly number[] =>
      run.cells.find(({ variant, row }) => variant.recipe === recipe && row.kind === 'accuracy')!.predictions!
        .predicted;
    const [before, after] = [predictions('int8'), predictions('int8+head')];
    expect(after).not.toEqual(before);
    const right = (chosen: readonly number[]): number =>
      chosen.filter((choice, image) => choice === data.test.classes[image]).length;
    expect(effect!.change.value).toBeCloseTo((right(after) - right(before)) / 200, 12);
    expect(effect!.change.low).toBeLessThanOrEqual(effect!.change.value);
    expect(effect!.mcnemarP).toBeLessThanOrEqual(1);

    const analysis = analyse(run);
    expect(reportDocument(analysis).refits).toMatchObject([
      { recipe: 'int8+head', without: 'int8', mcnemarP: effect!.mcnemarP, change: effect!.change },
    ]);
    expect(await markdownExporter.render(analysis)).toMatch(/\| int8\+head +\| int8 +\|/);
    const [header, ...rows] = (await csvExporter.render(analysis)).trim().split('\r\n');
    const column = header!.split(',').indexOf('refit_of');
    expect(rows.map((row) => row.split(',')[column])).toEqual(['', '', 'int8']);
  });
});

describe('the head of a backbone', () => {
  it('takes the place of a correction, and is held against it', async () => {
    const only = { performance: { batches: [], tier: 'smoke' as const, rounds: 1 } };
    const corrected: Recipe = {
      ...{ ...fp32, name: 'corrected' },
      steps: [stepOf(pruneStage, { ratio: 0.6, images: 32 }), stepOf(correctHeadStage, { images: 192 })],
    };
    const recipes = [fp32, corrected].map((recipe) => ({ recipe, published: undefined }));
    const asked = withOverrides(suite({ ...only, recipes }), {
      ...{ devices: [], images: 200, head: { kind: 'ridge', refit: true } },
    });
    const run = await stored((await execute(asked)).id);
    expect(run.variants.map((variant) => [variant.recipe, headOf(variant)])).toEqual([
      ['fp32', 'trained'],
      ['corrected', 'corrected'],
      ['corrected+head', 'refitted'],
    ]);
    expect(refitEffects(run).map(({ variant, without }) => [variant.recipe, without.recipe])).toEqual([
      ['corrected+head', 'corrected'],
    ]);
    expect(reportDocument(analyse(run)).variants.map(({ head }) => head)).toContain('corrected');
  });

  it('is fitted as it was asked for, and another kind of it finds the features in the cache', async () => {
    const loaded = await loadModelFor(
      await modelHere({ kind: 'path', name: 'micro', path: microDirectory }),
      data.train,
    );
    const { config } = loaded.vit;
    const [width = 0] = weightOf(loaded.vit, 'head.weight').dims.slice(1);
    const backbone = {
      ...loaded,
      identity: 'backbone',
      vit: withWeights({ ...loaded.vit, config: { ...config, labels: [] } }, [
        ['head.weight', float32([0, width], [])],
        ['head.bias', float32([0], [])],
      ]),
    };
    const engine = await nodeEngine();
    let passed = 0;
    const counting: Engine = {
      ...engine,
      open: async (...how) => {
        const session = await engine.open(...how);
        const model = session.inputNames.includes(INPUT);
        return { ...session, run: (...feeds) => ((passed += Number(model)), session.run(...feeds)) };
      },
    };
    const fitted = async (
      kind: 'ridge' | 'logistic',
      images = 90,
    ): Promise<Awaited<ReturnType<typeof withFittingHead>>> =>
      withFittingHead(
        backbone,
        { kind, images, refit: false },
        {
          ...{ engine: counting, threads: availableParallelism(), train: data.train, seed: 1 },
          signal: new AbortController().signal,
          onProgress: () => undefined,
        },
      );
    vi.stubEnv('EDGEFLEX_CACHE', folder('heads'));
    onTestFinished(() => void vi.unstubAllEnvs());
    const ridge = await fitted('ridge');
    expect(passed).toBeGreaterThan(0);
    // Those of the fit, and those that choose the penalty.
    expect(await entryFolders(folder('heads'), 'observation')).toHaveLength(2);
    passed = 0;
    const logistic = await fitted('logistic');
    expect(passed).toBe(0);
    expect(ridge.identity).not.toBe(logistic.identity);
    for (const [{ record, vit }, kind] of [
      [ridge, 'ridge'],
      [logistic, 'logistic'],
    ] as const) {
      expect(record.fittedHead).toMatchObject({ kind, images: 120, holdout: 30 });
      expect(record.fittedHead!.holdoutAccuracy).toBeGreaterThan(0.6);
      expect(vit.config.labels).toEqual(data.train.labels);
      expect(record.fittedHead).not.toHaveProperty('asked');
    }
    // There are 512 training images: where more are asked for, that is told.
    const { record } = await fitted('ridge', 900);
    expect(record.fittedHead).toMatchObject({ images: 512, holdout: 128, asked: 1200 });
    const [note] = modelNotes(record).filter((each) => each.includes('ridge'));
    expect(note).toContain('512 training images');
    expect(note).toContain('1,200');
  });

  it('of a run of an older version was fitted by ridge regression', () => {
    const model_json = JSON.stringify({
      ...{ source: 'hub', notes: [] },
      fittedHead: { images: 1024, holdout: 256, lambda: 0.1, holdoutAccuracy: 0.9 },
    });
    const record = modelRecordOf({ model_json } as StoredRun['variants'][number]);
    expect(record?.fittedHead?.kind).toBe('ridge');
  });
});
