import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { fp32, type Recipe } from '../../src/compress/recipe.js';
import { findRun, loadLogits, loadRun, type StoredCell } from '../../src/store/read.js';
import type { SuiteRecipe } from '../../src/suite/read.js';
import { describeInBrowser } from '../report/support/browser.js';
import { describeOnBoard, TestBoard } from '../support/board/board.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** A file that an exporter wrote (`test/vit/exports`), any number of images at once. */
async function exported(file: string): Promise<SuiteRecipe> {
  const preprocessor = runs.folder('preprocessor_config.json');
  await writeFile(preprocessor, '{"size": 16}');
  const recipe: Recipe = { ...fp32, name: 'theirs' };
  const path = join(packageRoot(), 'test', 'vit', 'exports', file);
  return { recipe, published: undefined, raw: { path, model: undefined, preprocessor } };
}

/** What was measured of the file, device by device. */
async function theirs(kind: string): Promise<Readonly<Record<string, StoredCell>>> {
  const { cells } = await loadRun(runs.db(), await findRun(runs.db(), ''));
  const own = cells.filter(({ row, variant }) => variant.recipe === 'theirs' && row.kind === kind);
  return Object.fromEntries(own.map((cell) => [cell.device.row.name, cell]));
}

/** The largest difference between the file's logits on a device and on this machine, as a share of the largest. */
async function differenceOn(device: string): Promise<number> {
  const cells = await theirs('accuracy');
  const logits = async (name: string): Promise<Float32Array> =>
    (await loadLogits(runs.db(), cells[name]!.row.id))!.values;
  const [there, here] = [await logits(device), await logits('here')];
  expect(there.length).toBe(here.length);
  const largest = Math.max(...here.map(Math.abs));
  return Math.max(...there.map((value, at) => Math.abs(value - here[at]!))) / largest;
}

describeInBrowser('an ONNX file as it is, in browsers', () => {
  it('runs on WebGPU though it leaves the number of images open, and gives what the processor gives', async () => {
    const webgpu = runs.folder('webgpu.yaml');
    await writeFile(webgpu, 'name: webgpu\nkind: browser\nprovider: webgpu\nadapter: swiftshader\n');
    const { failedCells } = await runs.execute(
      runs.suite({
        recipes: [await exported('vit.onnx')],
        devices: [runs.folder('here.yaml'), webgpu],
        // The last part of a batch has fewer images than are run at once.
        accuracy: { batch: 4, images: 6 },
        performance: { batches: [2], tier: 'smoke', rounds: 1 },
      }),
    );
    expect(failedCells).toBe(0);
    const timed = await theirs('performance');
    expect(timed['webgpu']!.row).toMatchObject({ status: 'done', reason: null });
    expect(await differenceOn('webgpu')).toBeLessThan(1e-5);
  }, 400_000);
});

describeOnBoard('an ONNX file as it is, on a board', { timeout: 400_000 }, () => {
  it('is timed and scored there as on this machine', async () => {
    const board = await TestBoard.start('pi');
    try {
      const { failedCells } = await runs.execute(
        runs.suite({
          recipes: [await exported('raw-dynamic.onnx')],
          devices: [runs.folder('here.yaml'), board.profilePath],
          accuracy: { batch: 4, images: 6 },
          performance: { batches: [1], tier: 'smoke', rounds: 1 },
        }),
      );
      expect(failedCells).toBe(0);
      const timed = await theirs('performance');
      expect(timed['pi (emulated)']!.row).toMatchObject({ status: 'done', reason: null });
      // Inputs are quantised: what lies on the edge of a step goes to one side or the other.
      expect(await differenceOn('pi (emulated)')).toBeLessThan(0.05);
    } finally {
      await board.remove();
    }
  });
});
