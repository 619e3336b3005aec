import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { findRun, loadRun, type StoredCell } from '../../src/store/read.js';
import { describeOnBoard, TestBoard } from '../support/board/board.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** When a round began and ended, in milliseconds. */
type Span = readonly [begin: number, end: number];

function spansOf(cells: readonly StoredCell[]): Span[] {
  return cells
    .flatMap(({ rounds }) => rounds.map(({ row }) => row))
    .map(({ started_at, seconds }): Span => [Date.parse(started_at), Date.parse(started_at) + seconds * 1000])
    .sort(([a], [b]) => a - b);
}

const overlap = ([begin, end]: Span, [otherBegin, otherEnd]: Span): boolean =>
  begin < otherEnd && otherBegin < end;

describeOnBoard('a run on several boards', { timeout: 300_000 }, () => {
  it('drives them side by side, each by one cell at a time, and goes on when one goes away or never was there', async () => {
    const boards: TestBoard[] = [];
    try {
      for (const name of ['one', 'two'])
        boards.push(await TestBoard.start(name, { asHardware: true, profile: 'restart: 1\n' }));
      const [one, two] = boards as [TestBoard, TestBoard];
      await writeFile(runs.folder('nowhere'), 'Host gone\n  HostName 127.0.0.1\n  Port 1\n');
      await writeFile(runs.folder('gone.yaml'), 'name: gone\nkind: ssh\nhost: gone\nconfig: nowhere\n');
      const suite = runs.suite({
        devices: [one.profilePath, two.profilePath, runs.folder('gone.yaml')],
        recipes: runs.suite().recipes.slice(0, 1),
        accuracy: { batch: 8, images: 8 },
        performance: { batches: [1], tier: 'smoke', rounds: 1 },
      });
      const unusable: string[] = [];
      let isDown: Promise<void> | undefined;
      const outcome = await runs.execute(suite, {
        unusable: ({ device, reason }) => unusable.push(`${device}: ${reason}`),
        measuring: ({ device, scenario, phase }) => {
          if (device === 'two' && scenario.kind === 'performance' && phase === 'load') isDown ??= two.down();
        },
      });
      await isDown;
      const refused = /cannot be reached: .*Connection refused/;
      expect(unusable).toEqual([expect.stringMatching(refused)]);

      const { cells } = await loadRun(runs.db(), await findRun(runs.db(), outcome.id));
      const [ofOne, ofTwo, ofGone] = ['one', 'two', 'gone'].map((name) =>
        cells.filter(({ device }) => device.row.name === name),
      ) as [StoredCell[], StoredCell[], StoredCell[]];
      expect(ofOne.map(({ row }) => row.status)).toEqual(ofOne.map(() => 'done'));
      const failed = [...ofTwo.filter(({ row }) => row.kind === 'performance'), ...ofGone];
      expect(new Set(cells.filter(({ row }) => row.status === 'failed'))).toEqual(new Set(failed));
      for (const { row } of failed) expect(row.reason).toMatch(refused);
      expect(outcome.failedCells).toBe(failed.length);

      const [first, second] = [spansOf(ofOne), spansOf(ofTwo)];
      expect(first.some((span) => second.some((other) => overlap(span, other)))).toBe(true);
      // Clocks are read in whole milliseconds.
      for (const spans of [first, second])
        for (const [index, [begin]] of spans.entries())
          if (index > 0) expect(begin).toBeGreaterThanOrEqual(spans[index - 1]![1] - 1);
      expect(one.processes('agent.mjs')).toEqual([]);
    } finally {
      for (const board of boards) await board.remove();
    }
  });

  it('is resumed with a board that was not there when it began', async () => {
    const profile = (port: number): Promise<void> =>
      writeFile(runs.folder('gone'), `Host gone\n  HostName 127.0.0.1\n  Port ${port}\n`);
    await writeFile(
      runs.folder('gone.yaml'),
      'name: gone\nkind: ssh\nhost: gone\nconfig: gone\nthreads: 1\n',
    );
    await profile(1);
    const suite = runs.suite({
      devices: [runs.folder('here.yaml'), runs.folder('gone.yaml')],
      recipes: runs.suite().recipes.slice(0, 1),
      accuracy: { batch: 8, images: 8 },
      performance: { batches: [], tier: 'smoke', rounds: 1 },
    });
    const { id, failedCells } = await runs.execute(suite);
    expect(failedCells).toBeGreaterThan(0);
    await profile(2);
    await writeFile(
      runs.folder('gone.yaml'),
      'name: gone\nkind: ssh\nhost: gone\nconfig: gone\nthreads: 3\n',
    );
    const again = await runs.execute(suite, {}, { resume: id });
    expect(again).toEqual({ id, failedCells });
    const { cells } = await loadRun(runs.db(), await findRun(runs.db(), id));
    const gone = cells.filter(({ device }) => device.row.name === 'gone');
    for (const { row, device } of gone) {
      expect(row.reason).toContain('127.0.0.1 port 2');
      expect(device.row.threads).toBe(3);
    }

    const alone = { ...suite, devices: [runs.folder('gone.yaml')] };
    await expect(runs.execute(alone)).rejects.toThrow(/^device gone .*Connection refused/);
  });
});
