import { Command, Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { calibrate } from '../../library/calibrate.js';
import { withResults } from '../../library/results.js';
import { floorTable } from '../../text/calibration.js';
import type { StoredFloor } from '../../store/floors.js';
import { tiers, type Tier } from '../../suite/schema.js';
import { exitCodes } from '../failure.js';
import { batchSizes, roundsFrom } from '../options/flags.js';
import { imageNames } from '../../run/locate-data.js';
import { RunProgress } from '../output/progress.js';
import { resultsOption, sharedOption } from '../options/results.js';
import { stopOnSignal } from '../stop.js';
import { givenCommand } from '../options/given.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { tableText } from '../output/lists.js';
import { sayWhatIsUndelivered } from '../output/undelivered.js';

interface CalibrateFlags {
  readonly model?: string;
  readonly dataset: string;
  readonly data?: string;
  readonly batch: readonly number[];
  readonly tier: Tier;
  readonly rounds: number;
  readonly results: string;
  readonly db?: string;
  readonly list?: true;
  readonly json?: true;
}

/** `edgeflex calibrate`: what differences a device can tell. */
export function calibrateCommand(): Command {
  const command = new Command('calibrate')
    .argument('[device]', 'a device profile: a file, or a name listed by "edgeflex devices list"')
    .option(
      '--model <model>',
      'the model to measure with; default: a ViT-Tiny at 64 pixels with random weights',
    )
    .option('--dataset <name>', `the input images: ${imageNames().join(', ')}`, 'shapes10')
    .option(
      '--data <directory>',
      'the folder of the images (default: EDGEFLEX_DATA, or what "edgeflex data fetch" downloaded)',
    )
    .addOption(
      new Option('--batch <sizes>', 'batch sizes, separated by commas')
        .argParser(batchSizes)
        .default([1, 8], '1,8'),
    )
    .addOption(
      new Option('--tier <tier>', 'how long to measure each').choices(Object.keys(tiers)).default('quick'),
    )
    .option('--rounds <number>', 'fresh processes for each; at least 8', roundsFrom(8), 20)
    .addOption(resultsOption())
    .addOption(sharedOption('also deliver what is found to this database on a PostgreSQL server'))
    .option(
      '--list',
      'list the stored results of all devices, with --db those of the database; measure nothing',
    )
    .option('--json', 'print the result as JSON')
    .action(async (device: string | undefined, flags: CalibrateFlags) => {
      if (flags.list) return showKnown(flags);
      if (device === undefined)
        throw new InputError({
          source: 'calibrate',
          found: 'no device',
          expected: 'a device profile, such as local-cpu, or --list',
        });
      const { model, dataset, data, batch: batches, tier, rounds } = flags;
      const { signal, release } = stopOnSignal(
        () => 'Stopped. A calibration cannot be resumed: this one is not used.',
      );
      try {
        const progress = new RunProgress(process.stderr);
        const { run, floors, gaps } = await progress.watch(
          calibrate(flags.results, device, {
            ...{ model, dataset, data, batches, tier, rounds, signal, db: flags.db },
            command: givenCommand(),
          }),
        );
        show(floors, gaps, flags);
        if (run.failed > 0) process.exitCode = exitCodes.device;
        sayWhatIsUndelivered(progress, flags);
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'The measurements are stored as a run, and the noise for the device in its present setup: it does not apply to another processor, runtime, thread count or session options. From then on "edgeflex run", "report" and "compare" report only differences of at least the minimum detectable effect found here. Calibrate under the conditions you will measure in, with nothing else running.',
    ],
    examples: [
      ['edgeflex calibrate local-cpu', 'a ViT-Tiny at 64 pixels, 20 rounds'],
      'edgeflex calibrate local-cpu --batch 64 --tier normal',
      'edgeflex calibrate --list',
    ],
  });
}

async function showKnown(flags: CalibrateFlags): Promise<void> {
  const floors = await withResults(flags.db ?? flags.results, { readonly: true }, (results) =>
    results.calibrations(),
  );
  show(floors, [], flags);
}

function show(floors: readonly StoredFloor[], gaps: readonly string[], { json }: CalibrateFlags): void {
  if (json) printJson('calibrate', floors);
  else if (floors.length === 0 && gaps.length === 0) console.log('No device has been calibrated yet.');
  else {
    const table = floorTable(floors);
    const notes = [...table.notes, ...gaps];
    console.log(tableText({ ...table, notes }));
  }
}
