import { Command, Option } from 'commander';
import { compareDevices } from '../../library/compare-devices.js';
import { pairTable } from '../../text/procure/pair.js';
import { collected } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { tableText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';

interface DeviceCompareFlags {
  readonly results: string;
  readonly suite?: string;
  readonly devices?: string;
  readonly exchange: readonly string[];
  readonly json?: true;
}

/** `edgeflex devices compare`: two devices by the variants that were measured on both. */
export function deviceCompareCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('compare')
    .description('compare two devices by the variants that were measured on both')
    .argument('<profile>', 'a device by its name in stored runs')
    .argument('<other>', 'another one')
    .option('--suite <suite>', 'only runs of this suite')
    .option('--devices <directory>', 'a folder of profiles to use instead of "devices" and the built-in ones')
    .addOption(
      new Option('--exchange <sum>', 'what a currency is worth, such as USD=0.86EUR; repeatable')
        .argParser(collected)
        .default([], 'none'),
    )
    .option('--json', 'print the result as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (first: string, second: string, flags: DeviceCompareFlags) => {
      const { suite, devices, exchange } = flags;
      const found = await compareDevices(flags.results, first, second, { suite, devices, exchange });
      if (flags.json) printJson('devices compare', found);
      else console.log(tableText(pairTable(found, found.currency)));
    });
  return explained(command, {
    notes: [
      'Speed, memory, agreement of classes and the price of each image a second, for the same artifact on both. Prices come from the device profiles as they are now.',
    ],
    examples: [
      'edgeflex devices compare local-cpu raspberry-pi-5',
      'edgeflex devices compare browser-wasm browser-webgpu --json',
    ],
  });
}
