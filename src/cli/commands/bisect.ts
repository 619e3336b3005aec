import { Command, Option } from 'commander';
import { parseGates } from '../../analysis/compare/gates.js';
import type { Gate } from '../../base/gate.js';
import { bisect } from '../../library/bisect.js';
import { bisectionSentences, bisectionTable, testedText } from '../../text/bisect.js';
import { commitEventText } from '../../text/commits.js';
import { terminalTable } from '../../text/terminal.js';
import { addCommitOptions, commitOptions, type CommitFlags } from '../options/commit-options.js';
import { partOf, wholeNumber } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { remark, screenWidth, showsColour } from '../output/screen.js';
import { stopOnSignal } from '../stop.js';

interface BisectFlags extends CommitFlags {
  readonly good: string;
  readonly bad: string;
  readonly failOn?: readonly Gate[];
  readonly confidence: number;
  readonly tests: number;
  readonly json?: true;
}

/** `edgeflex bisect`: the first commit that breaks a gate. */
export function bisectCommand(): Command {
  const command = addCommitOptions(
    new Command('bisect')
      .argument('<suite>', 'a suite file in the checkout, or a name listed by "edgeflex suites"')
      .requiredOption('--good <revision>', 'a commit that is as it should be')
      .requiredOption('--bad <revision>', 'a later commit that is not')
      .option(
        '--fail-on <gates>',
        'what the bad commit breaks, as for "edgeflex compare"; default: the gates of the suite',
        parseGates,
      )
      .addOption(
        new Option('--confidence <share>', 'stop when the first bad commit is this likely')
          .argParser(partOf)
          .default(0.95, '95%'),
      )
      .option('--tests <n>', 'measure at most this many times', wholeNumber, 30),
  )
    .option('--json', 'print every commit with its tests and its probability as JSON')
    .action(async (suite: string, flags: BisectFlags) => {
      const { good, bad, failOn: gates, confidence, tests } = flags;
      const { signal, release } = stopOnSignal();
      try {
        const options = { ...commitOptions(flags), good, bad, gates, confidence, tests, signal };
        const job = bisect(flags.results, suite, options);
        for await (const event of job)
          remark(event.kind === 'tested' ? testedText(event, event.metric) : commitEventText(event));
        const found = await job;
        if (flags.json) {
          printJson('bisect', found.document);
          return;
        }
        const table = terminalTable(bisectionTable(found.bisection), showsColour(), screenWidth());
        console.log([table, '', ...bisectionSentences(found.bisection)].join('\n'));
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'Each commit is measured in turn with the good one, in a git work tree of its own; yours is not touched. A measurement is not simply good or bad: each makes some commits likelier to be the first bad one, by the interval of its difference, and the next commit is the one that tells most. Commits that do not build are skipped. Commits are taken by first parents: a merge counts as one.',
    ],
    examples: [
      'edgeflex bisect suites/mine.yaml --good v1.2 --bad main --fail-on latency@int8:3%',
      [
        'edgeflex bisect quickstart --good 1a2b3c4 --bad HEAD --fail-on file:1% --setup "npm ci" --command "npx edgeflex"',
        'each commit with the EdgeFlex that it depends on',
      ],
    ],
  });
}
