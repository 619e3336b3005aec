import { Command } from 'commander';
import { listBaselines, removeBaseline, setBaseline } from '../../library/baselines.js';
import * as format from '../../text/format.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { announce } from '../options/newest.js';
import { placeOptions } from '../options/results.js';

interface Flags {
  readonly results: string;
  readonly suite?: string;
}

interface SetFlags extends Flags {
  readonly force?: true;
  readonly json?: true;
}

/** `edgeflex baseline`: names runs that later ones are compared with. */
export function baselineCommand(): Command {
  const command = new Command('baseline')
    .addCommand(setCommand())
    .addCommand(listCommand())
    .addCommand(rmCommand());
  return explained(command, { examples: ['edgeflex baseline set main', 'edgeflex baseline list'] });
}

function setCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('set')
    .description('name a run; each name belongs to one run of a suite, and setting it again moves it')
    .argument('<name>', 'such as main, or v1.2')
    .argument(
      '[run]',
      'a run id or its first characters, or another baseline; default: the newest finished run',
    )
    .option('--suite <suite>', 'consider only runs of this suite')
    .option('--force', 'accept a run that has not finished')
    .option('--json', 'print the new baseline as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (name: string, word: string | undefined, flags: SetFlags) => {
      const { suite, force } = flags;
      const { run, before, newest } = await setBaseline(flags.results, name, { run: word, suite, force });
      announce(newest);
      if (flags.json) {
        const { id: runId, startedAt, failed, cells } = run;
        printJson('baseline set', {
          ...{ name, suite: run.suite, runId, startedAt },
          ...{ before: before ?? null, failed, cells },
        });
        return;
      }
      const moved = before === undefined || before === run.id ? '' : `, moved from ${before}`;
      console.log(
        `${name} of ${run.suite} is now run ${run.id}, started ${format.moment(run.startedAt)}${moved}`,
      );
      if (run.failed > 0)
        console.log(`${run.failed} of its ${run.cells} cells failed and cannot be compared`);
    });
  return explained(command, {
    examples: [
      ['edgeflex baseline set main', 'the newest finished run'],
      ['edgeflex baseline set main --suite cifar10', 'the newest of that suite'],
      'edgeflex baseline set v1.2 20261122-1015',
    ],
  });
}

function listCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('list')
    .description('list baselines')
    .option('--suite <suite>', 'list only baselines of this suite')
    .option('--json', 'print the list as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (flags: Flags & { readonly json?: true }) => {
      const { suite: only } = flags;
      const baselines = await listBaselines(flags.results, { suite: only });
      if (flags.json) printJson('baseline list', baselines);
      else if (baselines.length === 0)
        console.log(
          `No baselines${only === undefined ? '' : ` of ${only}`} yet. "edgeflex baseline set <name>" creates one.`,
        );
      else
        console.log(
          listText(
            { suite: 'suite', name: 'baseline', run: 'run', started: 'started', set: 'set' },
            baselines.map(({ suite, name, runId, startedAt, setAt }) => ({
              ...{ suite, name, run: runId },
              ...{ started: format.moment(startedAt), set: format.moment(setAt) },
            })),
          ),
        );
    });
  return explained(command, {
    examples: ['edgeflex baseline list', 'edgeflex baseline list --suite cifar10'],
  });
}

function rmCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('rm')
    .description('remove a name; the run stays, but "runs prune" may then delete it')
    .argument('<name>', 'a baseline')
    .option('--suite <suite>', 'required if several suites have a baseline of that name')
    .option('--json', 'print the removed baseline as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (name: string, flags: Flags & { readonly json?: true }) => {
      const removed = await removeBaseline(flags.results, name, { suite: flags.suite });
      if (flags.json) printJson('baseline rm', removed);
      else console.log(`removed ${name} of ${removed.suite}; run ${removed.runId} is still stored`);
    });
  return explained(command, {
    examples: ['edgeflex baseline rm v1.2', 'edgeflex baseline rm main --suite cifar10'],
  });
}
