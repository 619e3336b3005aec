import { Command } from 'commander';
import { installedVersion } from '../base/paths.js';
import { dataCommand } from './data.js';
import { runCommand } from './run.js';
import { reportFailure } from './failure.js';

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
    .option('--verbose', 'show stack traces')
    .showHelpAfterError('(edgeflex --help shows how)')
    .exitOverride();
  program.addCommand(runCommand());
  program.addCommand(dataCommand());
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    process.exitCode = reportFailure(error, program.opts()['verbose'] === true);
  }
}
