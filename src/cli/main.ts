import { Command } from 'commander';
import { installedVersion } from '../base/paths.js';
import { baselineCommand } from './baseline.js';
import { calibrateCommand } from './calibrate.js';
import { compareCommand } from './compare.js';
import { compressCommand } from './compress.js';
import { dataCommand } from './data.js';
import { devicesCommand } from './devices.js';
import { reportFailure } from './failure.js';
import { historyCommand } from './history.js';
import { procureCommand } from './procure.js';
import { reportCommand } from './report.js';
import { rooflineCommand } from './roofline.js';
import { runCommand } from './run.js';
import { runsCommand } from './runs.js';

/** All commands, in the order the help shows them. */
const commands = [
  ...[runCommand, compressCommand, reportCommand, runsCommand],
  ...[compareCommand, historyCommand, baselineCommand, calibrateCommand],
  ...[rooflineCommand, procureCommand, devicesCommand, dataCommand],
];

/**
 * The command line.
 *
 * @param argv - as Node gives it, interpreter and script first
 */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('edgeflex')
    .description(
      'Compresses Vision Transformers and proves on real hardware what that bought: peak memory, batch latency, accuracy.',
    )
    .version(installedVersion())
    .option('--verbose', 'show where an error comes from')
    .showHelpAfterError('(--help shows how)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Start here:
  edgeflex run suites/quickstart.yaml                        a small built-in model and images: two minutes
  edgeflex data fetch cifar10                                the CIFAR-10 images, once
  edgeflex run suites/cifar10.yaml                           the real thing
  edgeflex report                                            the newest run's report again
  edgeflex compare 20261122 --fail-on latency:2%             the newest run against another, with a gate
  edgeflex devices check devices/raspberry-pi-5.yaml         whether a board is ready, and what to mend
  edgeflex procure --max-latency 30ms@p90 --min-accuracy 80%  which device and variant to buy
  edgeflex calibrate devices/local-cpu.yaml                  what differences this machine can tell
  edgeflex roofline devices/local-cpu.yaml                   what this machine can do at best
  edgeflex compress vit-base --recipe suites/recipes/edgeflex.yaml --dataset cifar10 -o out/

Exit codes:
  0 fine   1 a gate failed   2 bad usage or bad input   3 a device or a cell failed   130 stopped by Ctrl-C

Environment:
  EDGEFLEX_DATA   where images lie, like --data      EDGEFLEX_CACHE   where artifacts and fetched images go`,
    );
  for (const make of commands) adopt(program, make());
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = reportFailure(error, program.opts()['verbose'] === true);
  }
}

/** Adds a command that behaves like its parent on errors. */
function adopt(parent: Command, command: Command): void {
  parent.addCommand(command.copyInheritedSettings(parent));
  for (const child of command.commands) child.copyInheritedSettings(command);
}
