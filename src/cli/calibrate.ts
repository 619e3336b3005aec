import { Command, Option } from 'commander';
import { InputError } from '../base/errors.js';
import { datasetNames } from '../data/registry.js';
import { floorsOf, floorTable } from '../text/calibration.js';
import { terminalTable } from '../text/terminal.js';
import { calibrationSuite } from '../run/calibration-suite.js';
import { executeSuite } from '../run/execute.js';
import { locateData } from '../run/locate-data.js';
import { insertFloors, listFloors, type StoredFloor } from '../store/floors.js';
import { openForReading, openStore, type Db } from '../store/open.js';
import { findRun, loadRun } from '../store/read.js';
import { tiers, type Tier } from '../suite/schema.js';
import { exitCodes } from './failure.js';
import { batchSizes, roundsFrom } from './flags.js';
import { RunProgress } from './progress.js';
import { databaseIn, resultsOption } from './results.js';
import { stopOnSignal } from './stop.js';
import { shellWords } from './words.js';

interface CalibrateFlags {
  readonly model?: string;
  readonly dataset: string;
  readonly data?: string;
  readonly batch: readonly number[];
  readonly tier: Tier;
  readonly rounds: number;
  readonly results: string;
  readonly list?: true;
  readonly json?: true;
}

/** `edgeflex calibrate`: what differences a device can tell. */
export function calibrateCommand(): Command {
  return new Command('calibrate')
    .description(
      'measure what differences a device can tell: one model against itself, in turn, in fresh processes',
    )
    .argument('[device]', 'a device profile, such as devices/local-cpu.yaml')
    .option('--model <model>', 'what to measure with; left out, the built-in ViT of 2.7 million parameters')
    .option('--dataset <name>', `the images that feed it: ${datasetNames().join(', ')}`, 'shapes10')
    .option('--data <directory>', 'where the images lie (or EDGEFLEX_DATA, or "edgeflex data fetch")')
    .option('--batch <sizes>', 'batch sizes, with commas between them', batchSizes, [1, 8])
    .addOption(
      new Option('--tier <tier>', 'how long each is measured').choices(Object.keys(tiers)).default('quick'),
    )
    .option('--rounds <number>', 'fresh processes of each; at least 8', roundsFrom(8), 20)
    .addOption(resultsOption())
    .option('--list', 'show what is known of all devices, and measure nothing')
    .option('--json', 'print it as JSON')
    .addHelpText(
      'after',
      `
What is measured is kept as a run; its noise is stored for the device as it is now: with another processor, runtime, number of
threads or session options it does not hold. "edgeflex run", "report" and "compare" then call a difference one only when the
device can tell it. Measure while nothing else runs, as you will measure later.

Examples:
  edgeflex calibrate devices/local-cpu.yaml                        the built-in ViT, 20 rounds
  edgeflex calibrate devices/local-cpu.yaml --batch 64 --tier normal
  edgeflex calibrate --list`,
    )
    .action(async (device: string | undefined, flags: CalibrateFlags) => {
      if (flags.list) return showKnown(flags);
      if (device === undefined)
        throw new InputError({
          source: 'calibrate',
          found: 'no device',
          expected: 'a device profile, such as devices/local-cpu.yaml, or --list',
        });
      const { dataset, data: directory, batch, model, tier, rounds } = flags;
      const suite = await calibrationSuite(device, { model, data: dataset, batches: batch, tier, rounds });
      const data = await locateData(dataset, undefined, directory);
      const db = await openStore(databaseIn(flags.results));
      const progress = new RunProgress(process.stderr);
      const { signal, release } = stopOnSignal(
        () => 'Stopped. A calibration is measured in one go: nothing of it is used.',
      );
      try {
        const outcome = await executeSuite(suite, {
          ...{ db, data, signal, resume: false, observer: progress },
          command: shellWords(['edgeflex', ...process.argv.slice(2)]),
        });
        progress.end();
        await showNew(db, outcome.id, flags);
        if (outcome.failedCells > 0) process.exitCode = exitCodes.device;
      } finally {
        progress.end();
        release();
        await db.destroy();
      }
    });
}

async function showKnown(flags: CalibrateFlags): Promise<void> {
  const db = await openForReading(databaseIn(flags.results));
  try {
    show(await listFloors(db), [], flags);
  } finally {
    await db.destroy();
  }
}

async function showNew(db: Db, runId: string, flags: CalibrateFlags): Promise<void> {
  const { floors, gaps } = floorsOf(await loadRun(db, await findRun(db, runId)));
  await insertFloors(db, floors);
  show(floors, gaps, flags);
}

function show(floors: readonly StoredFloor[], gaps: readonly string[], { json }: CalibrateFlags): void {
  if (json) console.log(JSON.stringify(floors, null, 2));
  else if (floors.length === 0 && gaps.length === 0) console.log('No device is calibrated yet.');
  else {
    const table = floorTable(floors);
    const notes = [...table.notes, ...gaps];
    console.log(terminalTable({ ...table, notes }, process.stdout.isTTY, process.stdout.columns));
  }
}
