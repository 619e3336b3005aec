import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { analyse } from '../../src/analysis/analysis.js';
import { findRun, loadRun } from '../../src/store/read.js';
import type { Suite } from '../../src/suite/read.js';
import { describeInBrowser } from '../report/support/browser.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** fp32 under load, once on each device; the bound holds on an emulator, too. */
function suiteOn(devices: string[]): Suite {
  const suite = runs.suite();
  return {
    ...suite,
    ...{ devices, recipes: suite.recipes.slice(0, 1), accuracy: { batch: 4, images: 4 } },
    performance: { ...suite.performance, batches: [] },
    load: {
      ...{ server: { batches: [1], p99: 5_000 }, offline: { batches: [2] } },
      ...{ tier: 'smoke', rounds: 1 },
    },
  };
}

/** Runs a suite and expects of every device that it was offered the same schedule, and served what it was offered. */
async function expectLoadOn(devices: string[]): Promise<void> {
  const { id, failedCells } = await runs.execute(suiteOn(devices));
  const run = await loadRun(runs.db(), await findRun(runs.db(), id));
  expect(run.cells.map(({ row }) => [row.kind, row.status, row.reason])).toEqual(
    run.cells.map(({ row }) => [row.kind, 'done', null]),
  );
  expect(failedCells).toBe(0);
  const { figures } = analyse(run);
  expect(figures).toHaveLength(devices.length);
  for (const { loads } of figures) expect(loads.map(({ kind }) => kind)).toEqual(['server', 'offline']);
  const schedules = run.cells
    .filter(({ row }) => row.kind === 'server')
    .map(({ rounds }) => {
      const [trial] = rounds[0]!.trials;
      return trial!.scheduled.slice(0, 5).map((arrival) => ((arrival * trial!.rate!) / 1000).toFixed(6));
    });
  expect(schedules).toHaveLength(devices.length);
  for (const schedule of schedules) expect(schedule).toEqual(schedules[0]);
}

async function profile(name: string, ...lines: string[]): Promise<string> {
  const path = runs.folder(`${name}.yaml`);
  await writeFile(path, [`name: ${name}`, ...lines].join('\n'));
  return path;
}

describeInBrowser('load on a CPU and in a browser', { timeout: 300_000 }, () => {
  it('is the same schedule on all', async () => {
    await expectLoadOn([
      runs.folder('here.yaml'),
      await profile('wasm', 'kind: browser', 'provider: wasm', 'threads: 1'),
    ]);
  });
});
