import { Command } from 'commander';
import { installedVersion } from '../base/paths.js';
import { baselineCommand } from './baseline.js';
import { cacheCommand } from './cache.js';
import { calibrateCommand } from './calibrate.js';
import { compareCommand } from './compare.js';
import { compressCommand } from './compress.js';
import { dataCommand } from './data.js';
import { devicesCommand } from './devices.js';
import { exitCodes, reportFailure } from './failure.js';
import { historyCommand } from './history.js';
import { loadConfiguredPlugins } from '../plugins/config.js';
import { procureCommand } from './procure.js';
import { reportCommand } from './report.js';
import { rooflineCommand } from './roofline.js';
import { runCommand } from './run.js';
import { runsCommand } from './runs.js';
import { stagesCommand } from './stages.js';
import { storeCommand } from './store.js';
import { watchStreams } from './streams.js';

/** All commands, in the order the help shows them. */
const commands = [
  ...[runCommand, compressCommand, stagesCommand, reportCommand, runsCommand],
  ...[compareCommand, historyCommand, baselineCommand, calibrateCommand],
  ...[rooflineCommand, procureCommand, devicesCommand, dataCommand, storeCommand, cacheCommand],
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
  0 fine   1 a gate failed   2 bad usage or bad input   3 a device or a cell failed, or the disk is full
  70 a fault of edgeflex   130 stopped by Ctrl-C   143 stopped by SIGTERM

Environment:
  EDGEFLEX_DATA   where images lie, like --data      EDGEFLEX_CACHE   where artifacts and fetched images go
  EDGEFLEX_CACHE_LIMIT   how much that may take, such as 8GiB`,
    );
  const streams = watchStreams();
  const failed = (error: unknown): number => reportFailure(error, program.opts()['verbose'] === true);
  // What nobody waits for fails, too; Node's own code for it is 1, which says that a gate failed.
  const outside = (error: unknown): void => {
    process.exit(failed(error));
  };
  process.on('uncaughtException', outside).on('unhandledRejection', outside);
  // Whatever ends the process before the command has ended is a fault of ours.
  process.exitCode = exitCodes.internal;
  // Helps name what plug-ins bring, and are shown all the same where one cannot be loaded.
  const configured = loadConfiguredPlugins(process.cwd());
  await configured.catch(() => undefined);
  program.hook('preAction', () => configured);
  for (const make of commands) adopt(program, make());
  try {
    await program.parseAsync([...argv]);
    if (process.exitCode === exitCodes.internal) process.exitCode = exitCodes.fine;
  } catch (error) {
    process.exitCode = failed(error);
  }
  await streams.settled().catch((error: unknown) => {
    process.exitCode = failed(error);
  });
}

/** Adds a command that behaves like its parent on errors. */
function adopt(parent: Command, command: Command): void {
  parent.addCommand(command.copyInheritedSettings(parent));
  for (const child of command.commands) child.copyInheritedSettings(command);
}
