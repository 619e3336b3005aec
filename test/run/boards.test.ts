import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { analyse } from '../../src/report/analysis.js';
import { writeReport } from '../../src/report/write.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { describeOnBoard, TestBoard } from '../support/board/board.js';
import { useRuns } from './support.js';

const runs = useRuns();

describeOnBoard('a run on this machine and on a board', { timeout: 300_000 }, () => {
  it('gives the same answers on both, over a link that breaks on the way; nothing secret is stored, and the emulator is called one', async () => {
    const board = await TestBoard.start('pi');
    try {
      const suite = runs.suite({
        devices: [runs.folder('here.yaml'), board.profilePath],
        accuracy: { batch: 8, images: 24 },
        performance: { batches: [1], tier: 'rapid', rounds: 1 },
      });
      let cut = false;
      const outcome = await runs.execute(suite, {
        measuring: ({ device, phase }) => {
          if (cut || device !== 'pi (emulated)' || phase !== 'load') return;
          cut = true;
          board.signalLinks('SIGKILL');
        },
      });
      expect(cut).toBe(true);
      expect(outcome.failedCells).toBe(0);
      expect(board.processes('agent.mjs')).toEqual([]);

      const analysis = analyse(await loadRun(runs.db(), await findRun(runs.db(), outcome.id)));
      const predictions = (device: string, recipe: string): readonly number[] =>
        analysis.run.cells.find(
          (cell) =>
            cell.device.row.name === device && cell.variant.recipe === recipe && cell.row.kind === 'accuracy',
        )!.predictions!.predicted;
      expect(predictions('pi (emulated)', 'fp32')).toEqual(predictions('here', 'fp32'));
      const [there, here] = [predictions('pi (emulated)', 'int8'), predictions('here', 'int8')];
      const same = there.filter((choice, image) => choice === here[image]).length;
      expect(same / there.length).toBeGreaterThanOrEqual(0.9);

      const page = await writeReport(analysis, runs.folder('reports'));
      const directory = join(page, '..');
      const markdown = await readFile(join(directory, 'report.md'), 'utf8');
      expect(markdown).toContain('pi (emulated)');
      expect(markdown).not.toMatch(/\bpi\b(?! \(emulated\))/);

      const key = (await readFile(join(board.state, 'keys', 'client'), 'utf8')).split('\n')[3]!;
      const secrets = [key, 'PRIVATE KEY', join(board.state, 'keys')];
      const stored = [
        runs.folder('results.sqlite'),
        ...readdirSync(directory, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name)),
      ];
      for (const file of stored)
        for (const secret of secrets)
          expect(readFileSync(file).includes(secret), `${secret} in ${file}`).toBe(false);
    } finally {
      await board.remove();
    }
  });
});
