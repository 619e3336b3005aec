import { Command, InvalidArgumentError, Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { wrapped } from '../../base/wrap.js';
import { procure, type OwnershipTerms, type ProcureOptions } from '../../library/procure.js';
import { headline } from '../../text/procure/words.js';
import { procurementTable } from '../../text/procure/table.js';
import { stateText } from '../../text/run-state.js';
import { exitCodes } from '../failure.js';
import { batchSize, collected, partOf, positiveNumber, upToAll, wholeNumber } from '../options/flags.js';
import { explained } from '../help.js';
import { chartsOption } from '../options/charts-option.js';
import type { PrintFormat } from '../../report/charts/print.js';
import { printJson } from '../json.js';
import { tableText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';
import { remark, screenWidth } from '../output/screen.js';

interface ProcureFlags {
  readonly results: string;
  readonly suite?: string;
  readonly devices?: string;
  readonly batch: number;
  readonly maxLatency?: string;
  readonly maxMemory?: string;
  readonly minAccuracy?: string;
  readonly minThroughput?: string;
  readonly maxEnergy?: string;
  readonly requests?: number;
  readonly peak?: number;
  readonly headroom?: number;
  readonly utilisation?: number;
  readonly years?: number;
  readonly energyPrice?: string;
  readonly exchange: readonly string[];
  readonly emulated?: true;
  readonly output?: string;
  readonly force?: true;
  readonly charts: readonly PrintFormat[];
  readonly json?: true;
}

/** `edgeflex procure`: what to buy. */
export function procureCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('procure')
    .argument('[run...]', 'run ids, their first characters, or baselines; default: every run with results')
    .option('--max-latency <limit>', 'such as 30ms@p90, or 30ms for the median')
    .option('--max-memory <size>', "peak above the runtime's base, such as 200MiB")
    .option('--min-accuracy <share>', 'such as 80%')
    .option('--min-throughput <number>', 'images per second, such as 50/s')
    .option('--max-energy <limit>', 'energy per image, such as 0.5J')
    .option('--batch <size>', 'batch size to compare at', batchSize, 1)
    .option('--requests <count>', 'a load: requests of one image a day', wholeNumber)
    .option('--peak <number>', 'highest rate of the load, as a multiple of its mean (default: 1)', peakOf)
    .option('--headroom <share>', 'share of the throughput to keep free at the peak (default: 30%)', partOf)
    .option('--utilisation <share>', 'instead of a load: how much of the time a device computes', upToAll)
    .option('--years <number>', 'how many years the devices are used', positiveNumber)
    .option('--energy-price <sum>', 'price of a kilowatt-hour, such as 0.32EUR')
    .addOption(
      new Option('--exchange <sum>', 'what a currency is worth, such as USD=0.86EUR; repeatable')
        .argParser(collected)
        .default([], 'none'),
    )
    .option('--suite <suite>', 'only runs of this suite')
    .option('--devices <directory>', 'a folder of profiles to use instead of "devices" and the built-in ones')
    .option('--emulated', 'rank emulators and software GPUs, too, whose timings say nothing about hardware')
    .option('-o, --output <directory>', 'write a page for print, Markdown, CSV, JSON and charts')
    .addOption(chartsOption())
    .option('--force', 'overwrite files in that folder that EdgeFlex did not write')
    .option('--json', 'print the result as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (runs: readonly string[], flags: ProcureFlags) => {
      const found = await procure(flags.results, optionsOf(runs, flags));
      if (found.leftOut.length > 0)
        remark(['left out:', ...found.leftOut.map((run) => `  ${run.id}, ${stateText(run)}`)].join('\n'));
      const written =
        flags.output === undefined
          ? []
          : await found.write(flags.output, { force: flags.force ?? false, charts: flags.charts });
      if (flags.json) printJson('procure', found.document);
      else {
        const answer = headline(found.decision, found.procurement);
        console.log(`${wrapped(answer, screenWidth()).join('\n')}\n`);
        console.log(tableText(procurementTable(found.procurement)));
        for (const file of written) console.log(file);
      }
      if (!found.qualifies) process.exitCode = exitCodes.gate;
    });
  return explained(command, {
    notes: [
      'Prices and power come from the device profiles as they are now ("price", "power", "board", "count"). With --years, --energy-price and either --requests or --utilisation, devices are ranked by what a million images cost in all, else by the price of each image a second.',
      'Devices whose costs are not distinguishable share a place. "?" means not known: usually a confidence interval straddles a limit; measure longer, or on more images. Exits with 1 when nothing meets every limit.',
    ],
    examples: [
      'edgeflex procure --max-latency 30ms@p90 --max-memory 200MiB --min-accuracy 80%',
      [
        'edgeflex procure --max-latency 30ms --requests 200000 --peak 4 --years 3 --energy-price 0.32EUR -o buy/',
        'the cheapest fleet for a load, as a page to print',
      ],
      ['edgeflex procure 20261122 --batch 8', 'of a given run'],
    ],
  });
}

function optionsOf(runs: readonly string[], flags: ProcureFlags): ProcureOptions {
  const { suite, devices, batch, exchange, emulated } = flags;
  return {
    ...{ runs, suite, devices, batch, exchange, emulated },
    limits: {
      latency: flags.maxLatency,
      memory: flags.maxMemory,
      accuracy: flags.minAccuracy,
      throughput: flags.minThroughput,
      energy: flags.maxEnergy,
    },
    ownership: ownershipOf(flags),
  };
}

/** Undefined where nothing is asked of the cost of ownership. */
function ownershipOf(flags: ProcureFlags): OwnershipTerms | undefined {
  const { years, energyPrice, requests: requestsPerDay, peak, headroom, utilisation } = flags;
  const asked = [years, energyPrice, requestsPerDay, peak, headroom, utilisation];
  if (asked.every((each) => each === undefined)) return undefined;
  if (years === undefined) throw lacking('--years', 'how long the devices are used, such as 3');
  if (energyPrice === undefined)
    throw lacking('--energy-price', 'the price of a kilowatt-hour, such as 0.32EUR');
  if ((requestsPerDay === undefined) === (utilisation === undefined))
    throw lacking('--requests', 'either a load (--requests) or --utilisation', utilisation !== undefined);
  if (utilisation !== undefined && (peak ?? headroom) !== undefined)
    throw lacking('--peak, --headroom', 'a load (--requests) that they are of', true);
  return { ...{ years, energyPrice, requestsPerDay, peak, headroom, utilisation } };
}

function lacking(source: string, expected: string, isBoth = false): InputError {
  return new InputError({ source, found: isBoth ? 'it beside --utilisation' : 'nothing', expected });
}

/** A multiple of the mean rate, which the highest one is not below. */
function peakOf(text: string): number {
  const peak = positiveNumber(text);
  if (peak < 1) throw new InvalidArgumentError('Expected a number of at least 1, such as 4.');
  return peak;
}
