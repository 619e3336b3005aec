import type { Command } from 'commander';
import type { CommitOptions } from '../../library/gate.js';
import { reportsOption, resultsOption, sharedOption } from './results.js';
import { devicesOption, scenarioOptions, type ScenarioFlags } from './scenario-options.js';

/** What commands that measure commits are given. */
export interface CommitFlags extends ScenarioFlags {
  readonly setup?: string;
  readonly command?: string;
  readonly data?: string;
  readonly device: readonly string[];
  readonly results: string;
  readonly reports: string;
  readonly db?: string;
}

/**
 * Adds the flags that say how commits are measured.
 *
 * @param command - that measures commits
 * @returns the command
 */
export function addCommitOptions(command: Command): Command {
  const [images, batch, tier, rounds] = scenarioOptions(2);
  return command
    .option(
      '--setup <command>',
      'run this in each work tree before it is measured, such as "npm ci"; EDGEFLEX_CHECKOUT names your own checkout',
    )
    .option(
      '--command <command>',
      'measure with this command in each work tree, such as "npx edgeflex", instead of with this EdgeFlex',
    )
    .option('--data <directory>', 'the folder of the images, as for "edgeflex run"')
    .addOption(devicesOption('--device <profile>', 'measure on this device'))
    .addOption(images)
    .addOption(batch)
    .addOption(tier)
    .addOption(rounds)
    .addOption(resultsOption())
    .addOption(sharedOption('also deliver both runs to this PostgreSQL database as they go on'))
    .addOption(reportsOption());
}

/**
 * What the library is asked for.
 *
 * @param flags - of a command with these options
 */
export function commitOptions(flags: CommitFlags): CommitOptions {
  const { setup, command, data, device: devices, images, batch: batches, tier, rounds, reports, db } = flags;
  return { setup, command, data, devices, images, batches, tier, rounds, reports, db };
}
