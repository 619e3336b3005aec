import { join } from 'node:path';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { writeOutputs } from '../base/output.js';
import { renderSvg } from '../report/charts/svg.js';
import { procurementChart } from '../report/procure/chart.js';
import {
  parseAccuracy,
  parseLatency,
  parseMemory,
  type Constraints,
} from '../analysis/procure/constraints.js';
import { procure } from '../analysis/procure/procurement.js';
import { procurementTable } from '../text/procure/table.js';
import { terminalTable } from '../text/terminal.js';
import { openForReading } from '../store/open.js';
import { databaseIn, resultsOption, storedAnalysis } from './results.js';

interface ProcureFlags {
  readonly results: string;
  readonly batch: string;
  readonly maxLatency?: Constraints['latency'];
  readonly maxMemory?: number;
  readonly minAccuracy?: number;
  readonly emulated?: true;
  readonly output?: string;
  readonly force?: true;
  readonly json?: true;
}

/** `edgeflex procure`: what to buy. */
export function procureCommand(): Command {
  return new Command('procure')
    .description('say which devices and variants of a run keep to limits, and rank them by cost and energy')
    .argument('[run]', 'a run, or the beginning of its id; left out, the newest that has ended')
    .option('--max-latency <limit>', 'such as 30ms@p90, or 30ms for the median', parseLatency)
    .option('--max-memory <size>', "peak over the runtime's base, such as 200MiB", parseMemory)
    .option('--min-accuracy <share>', 'such as 80%', parseAccuracy)
    .option('--batch <size>', 'the batch size it is about', '1')
    .option('--emulated', 'rank emulators, too, though their timings say nothing of the hardware')
    .option('-o, --output <directory>', 'write procurement.json and, where prices are known, procurement.svg')
    .option('--force', 'replace files in that directory that EdgeFlex did not write')
    .option('--json', 'print it as JSON')
    .addOption(resultsOption())
    .addHelpText(
      'after',
      `
Prices and powers stand in the device profiles (price, power). "cannot tell" means that an interval lies on both sides of a limit:
measure longer, or more images.

Example:
  edgeflex procure --max-latency 30ms@p90 --max-memory 200MiB --min-accuracy 80%`,
    )
    .action(async (id: string | undefined, flags: ProcureFlags) => {
      const batch = Number(flags.batch);
      if (!Number.isInteger(batch) || batch < 1)
        throw new InputError({
          source: '--batch',
          found: `"${flags.batch}"`,
          expected: 'a whole number from 1',
        });
      const db = await openForReading(databaseIn(flags.results));
      try {
        const { maxLatency: latency, maxMemory: memory, minAccuracy: accuracy } = flags;
        const found = procure(await storedAnalysis(db, id), {
          batch,
          constraints: { latency, memory, accuracy },
          emulatedToo: flags.emulated ?? false,
        });
        const json = JSON.stringify(found, null, 2);
        const written: string[] = [];
        if (flags.output !== undefined) {
          const files = new Map([['procurement.json', json]]);
          const chart = procurementChart(found);
          if (chart) files.set('procurement.svg', await renderSvg(chart));
          await writeOutputs(flags.output, files, { force: flags.force ?? false });
          for (const name of files.keys()) written.push(join(flags.output, name));
        }
        if (flags.json) console.log(json);
        else {
          console.log(terminalTable(procurementTable(found), process.stdout.isTTY, process.stdout.columns));
          for (const file of written) console.log(file);
        }
      } finally {
        await db.destroy();
      }
    });
}
