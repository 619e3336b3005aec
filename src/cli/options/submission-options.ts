import { userInfo } from 'node:os';
import { Option, type Command } from 'commander';
import { wishedSuite } from '../../library/run.js';
import { loadedPlugins } from '../../plugins/load.js';
import { readRequirements, type Requirement } from '../../queue/requirements.js';
import { planTemplate, type SubmissionTemplate } from '../../queue/submit.js';
import { countOf, partOf } from './flags.js';
import { givenCommand } from './given.js';
import { devicesOption, scenarioOptions, type ScenarioFlags } from './scenario-options.js';

/** What a submission is asked for. */
export interface SubmissionFlags extends ScenarioFlags {
  readonly device: readonly string[];
  readonly needs: readonly (readonly Requirement[])[];
  readonly identical?: true;
  readonly compressFirst?: true;
  readonly priority: number;
  readonly person?: string;
  readonly model?: string;
  readonly precision?: number;
}

/**
 * Adds the options of commands that submit a suite, now or on a schedule.
 *
 * @param command - that does
 * @returns the command
 */
export function addSubmissionOptions(command: Command): Command {
  const [images, batch, tier, rounds] = scenarioOptions(1);
  return command
    .addOption(
      devicesOption(
        '--device <name>',
        'measure on this device of the fleet, as "edgeflex queue devices" or its profile calls it',
      ),
    )
    .addOption(
      new Option(
        '--needs <requirements>',
        'measure on any device that meets all of these, such as vnni,memory>=8GiB,arch=arm64; repeatable, one device each',
      )
        .argParser((text: string, before: readonly (readonly Requirement[])[]) => [
          ...before,
          readRequirements(text),
        ])
        .default([], 'none'),
    )
    .option('--identical', 'let an identical device continue what a lost one has begun; it is recorded')
    .option('--compress-first', 'compress in a job of its own, on a worker started with --compress')
    .option('--priority <n>', 'jobs of a higher priority come first', countOf, 0)
    .option('--person <name>', 'who asks; people get equal shares (default: the user)')
    .option('--model <model>', "measure this model instead of the suite's, as of edgeflex run")
    .addOption(images)
    .addOption(batch)
    .addOption(tier)
    .addOption(rounds)
    .option(
      '--precision <share>',
      'keep adding rounds until speedups are known to ±this, such as 1%',
      partOf,
    );
}

/**
 * Plans what the flags ask for.
 *
 * @param source - the command, for messages
 * @param reference - the suite
 * @param flags - as they were given
 * @throws InputError when the suite or what is asked of it cannot be used
 */
export async function askedTemplate(
  source: string,
  reference: string,
  flags: SubmissionFlags,
): Promise<SubmissionTemplate> {
  const { model, images, batch: batches, tier, rounds, precision } = flags;
  const suite = await wishedSuite(source, reference, { model, images, batches, tier, rounds, precision });
  return planTemplate(suite, {
    ...{ devices: flags.device, needs: flags.needs, priority: flags.priority },
    ...{ identical: flags.identical ?? false, compress: flags.compressFirst ?? false },
    ...{ person: flags.person ?? userInfo().username, command: givenCommand() },
    plugins: loadedPlugins(),
  });
}
