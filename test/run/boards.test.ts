import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hashFile } from '../../src/base/hash.js';
import { arm64Node } from '../../src/device/ssh/bring-node.js';
import { analyse, type Analysis } from '../../src/analysis/analysis.js';
import { observe } from '../../src/analysis/procure/observe.js';
import { procure } from '../../src/analysis/procure/procurement.js';
import { procurementTable } from '../../src/text/procure/table.js';
import { mainTable } from '../../src/text/table.js';
import { writeReport } from '../../src/report/write.js';
import { findRun, loadRun } from '../../src/store/read.js';
import { describeOnBoard, TestBoard } from '../support/board/board.js';
import { catalogueOf, euros, offer } from '../analysis/procure/support.js';
import { useRuns } from './support.js';

const runs = useRuns();

/** What the board's firmware says, as its own program prints it; the test changes it. */
const free = 'throttled=0x0\n';
const heldBack = 'throttled=0x50005\n';
const WATTS = 6.5;

describeOnBoard('a run on this machine and on a board', { timeout: 400_000 }, () => {
  it('gives the same answers on both, over a link that breaks on the way; nothing secret is stored, and the emulator is called one', async () => {
    await writeFile(runs.folder('watts'), `${WATTS} W\n`);
    const board = await TestBoard.start('pi', {
      withoutNode: true,
      sys: { 'class/thermal/thermal_zone0/temp': '52000\n' },
      bin: { vcgencmd: '#!/bin/sh\n[ "$1" = get_throttled ] && cat /home/bench/firmware\n' },
      profile: `node: bring\nmeter: [cat, ${runs.folder('watts')}]\n`,
    });
    try {
      const firmware = board.home('firmware');
      await writeFile(firmware, free);
      const suite = runs.suite({
        devices: [runs.folder('here.yaml'), board.profilePath],
        accuracy: { batch: 8, images: 24 },
        performance: { batches: [1], tier: 'smoke', rounds: 1 },
      });
      let cut = false;
      const outcome = await runs.execute(suite, {
        measuring: ({ device, phase, variant, scenario }) => {
          if (device !== 'pi (emulated)') return;
          // In the middle of one cell, and of no other.
          const isTimed = scenario.kind === 'performance' && variant === 'int8' && phase === 'warmup';
          if (isTimed) writeFileSync(firmware, heldBack);
          if (cut || phase !== 'load') return;
          cut = true;
          board.signalLinks('SIGKILL');
        },
        measured: () => {
          writeFileSync(firmware, free);
        },
      });
      expect(cut).toBe(true);
      expect(outcome.failedCells).toBe(0);
      expect(board.processes('agent.mjs')).toEqual([]);

      const analysis = analyse(await loadRun(runs.db(), await findRun(runs.db(), outcome.id)));
      expectSameAnswers(analysis);
      await expectBroughtNode(board, analysis);
      expectHeldBack(analysis);
      expectEnergy(analysis);
      await expectNoSecrets(analysis, board);
    } finally {
      await board.remove();
    }
  });
});

const isOnBoard = ({ device }: { readonly device: { readonly row: { readonly name: string } } }): boolean =>
  device.row.name === 'pi (emulated)';

function expectSameAnswers({ run }: Analysis): void {
  const predictions = (onBoard: boolean, recipe: string): readonly number[] =>
    run.cells.find(
      (cell) => isOnBoard(cell) === onBoard && cell.variant.recipe === recipe && cell.row.kind === 'accuracy',
    )!.predictions!.predicted;
  expect(predictions(true, 'fp32')).toEqual(predictions(false, 'fp32'));
  const [there, here] = [predictions(true, 'int8'), predictions(false, 'int8')];
  const same = there.filter((choice, image) => choice === here[image]).length;
  expect(same / there.length).toBeGreaterThanOrEqual(0.9);
}

/** The board had no Node: agents ran on one that npm gave, whose SHA-256 the board computed. */
async function expectBroughtNode(board: TestBoard, { run }: Analysis): Promise<void> {
  const brought = board.home('.cache', 'edgeflex', 'node-v20.20.2', 'node');
  expect(await hashFile(brought)).toBe(await hashFile(await arm64Node()));
  const platforms = run.cells
    .filter(isOnBoard)
    .flatMap(({ rounds }) => rounds.map(({ row }) => row.platform));
  expect(new Set(platforms)).toEqual(new Set(['linux-arm64 node 20.20.2']));
}

/** What the firmware said in the middle of a cell is told of that cell, in the table and below it. */
function expectHeldBack(analysis: Analysis): void {
  const timed = analysis.run.cells.filter((cell) => cell.row.kind === 'performance' && isOnBoard(cell));
  for (const { rounds, variant } of timed) {
    const seen = rounds.flatMap(({ conditions }) => conditions.map((each) => each.conditions));
    expect(new Set(seen.flatMap(({ temperature }) => temperature ?? []))).toEqual(new Set([52]));
    const held = new Set(seen.flatMap(({ throttling }) => throttling ?? []));
    expect([...held].sort()).toEqual(variant.recipe === 'int8' ? ['throttled', 'under-voltage'] : []);
  }
  const { rows, notes } = mainTable(analysis);
  const row = rows.find(({ variant }) => variant === 'int8 · pi (emulated)')!;
  expect(JSON.stringify(row)).toContain('⚑');
  const words = 'the processor was throttled (under-voltage, throttled)';
  expect(notes.filter((note) => note.includes('under-voltage'))).toEqual([
    expect.stringMatching(/^⚑ int8 · pi \(emulated\), batch 1: /),
  ]);
  expect(notes.join('\n')).toContain(words);
}

/** Energy of an image: watts of the profile's meter, times its seconds; an emulator is not ranked by it. */
function expectEnergy(analysis: Analysis): void {
  const asked = { batch: 1, constraints: { accuracy: 0.5 }, terms: undefined, rates: [], emulatedToo: false };
  const catalogue = catalogueOf(offer('pi', euros(85)));
  const found = procure([observe(analysis.run, { batch: 1, quantile: 0.5 })], catalogue, asked);
  const onBoard = found.candidates.filter(({ emulated }) => emulated);
  expect(onBoard).toHaveLength(2);
  for (const { energy, throughput, cost } of onBoard) {
    expect(energy!.source).toBe('measured');
    expect(energy!.value * throughput!.value).toBeCloseTo(WATTS, 6);
    expect(cost!.value * throughput!.value).toBeCloseTo(85, 6);
  }
  const rows = procurementTable(found).rows.filter(({ device }) => device === 'pi (emulated)');
  expect(rows).toHaveLength(2);
  for (const row of rows) expect(row['place']).toBe('not the hardware');
}

async function expectNoSecrets(analysis: Analysis, board: TestBoard): Promise<void> {
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
}
