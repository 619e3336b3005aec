import { describe, expect, it } from 'vitest';
import { analyse } from '../../src/analysis/analysis.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { precisionOptionsSchema } from '../../src/compress/precision/options.js';
import { reportDocument } from '../../src/report/document.js';
import { findRun, listRuns, loadRun } from '../../src/store/read.js';
import { parseFailure } from '../../src/protocol/failure.js';
import { useRuns } from './support.js';

const { suite, execute, db } = useRuns();

/** A recipe that asks for a part that no model has. */
const impossible = (name: string): Recipe => ({
  ...fp32,
  name,
  steps: [
    {
      stage: 'precision',
      options: precisionOptionsSchema.parse({ float16: ['nothing-is-called-so'], images: 8 }),
    },
  ],
});

describe('a recipe that cannot be applied to the model', () => {
  it('fails the cells of its variant with the reason, and the others are measured', async () => {
    const usual = suite();
    const refused: unknown[] = [];
    const { id, failedCells } = await execute(
      { ...usual, recipes: [...usual.recipes, { recipe: impossible('never'), published: undefined }] },
      {
        refused: ({ variant, failure }) => {
          refused.push([variant, failure.kind]);
        },
      },
    );
    expect(refused).toEqual([['micro / never', 'recipe-refused']]);
    const run = await loadRun(db(), await findRun(db(), id));
    expect(run.row.ended_at).not.toBeNull();
    const status = (name: string): string[] =>
      run.cells.filter(({ variant }) => variant.recipe === name).map(({ row }) => row.status);
    expect([status('fp32'), status('int8')].flat()).toEqual(Array.from({ length: 6 }, () => 'done'));
    expect(status('never')).toEqual(['failed', 'failed', 'failed']);
    expect(failedCells).toBe(3);
    const { row } = run.cells.find(({ variant }) => variant.recipe === 'never')!;
    expect(parseFailure(row.reason!)).toMatchObject({
      kind: 'recipe-refused',
      found: expect.stringContaining('nothing-is-called-so') as string,
    });
    const document = reportDocument(analyse(run, [], []));
    expect(document.variants.find(({ recipe }) => recipe === 'never')).toMatchObject({
      ...{ artifact: null, fileBytes: null, parameters: null },
    });
  });

  it('is tried again by --resume, and goes on once it can be applied', async () => {
    const usual = suite();
    const recipes = [...usual.recipes, { recipe: impossible('never'), published: undefined }];
    const { id } = await execute({ ...usual, recipes });
    const again = await execute({ ...usual, recipes }, {}, { resume: id });
    expect(again).toEqual({ id, failedCells: 3 });
    const run = await loadRun(db(), await findRun(db(), id));
    expect(run.cells.filter(({ row }) => row.status === 'done')).toHaveLength(6);
  });
});

it('a run that is refused before its first cell leaves no record', async () => {
  const usual = suite();
  await expect(
    execute({ ...usual, recipes: [{ recipe: impossible('fp32'), published: undefined }] }),
  ).rejects.toThrow(/nothing-is-called-so/);
  expect(await listRuns(db())).toEqual([]);
});
