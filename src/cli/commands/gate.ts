import { Command } from 'commander';
import { parseGates } from '../../analysis/compare/gates.js';
import type { Gate } from '../../base/gate.js';
import { gate } from '../../library/gate.js';
import { commitEventText } from '../../text/commits.js';
import { addCommitOptions, commitOptions, type CommitFlags } from '../options/commit-options.js';
import { ComparisonOutputs, type OutputFlags } from '../output/comparison-outputs.js';
import { exitCodes } from '../failure.js';
import { explained } from '../help.js';
import { remark } from '../output/screen.js';
import { stopOnSignal } from '../stop.js';

interface GateFlags extends CommitFlags, OutputFlags {
  readonly base: string;
  readonly head?: string;
  readonly failOn?: readonly Gate[];
  readonly confirm?: true;
}

/** `edgeflex gate`: a commit against the one that it comes from, measured in turn. */
export function gateCommand(): Command {
  const outputs = new ComparisonOutputs();
  const command = outputs.addTo(
    addCommitOptions(
      new Command('gate')
        .argument('<suite>', 'a suite file in the checkout, or a name listed by "edgeflex suites"')
        .requiredOption(
          '--base <revision>',
          'compare with the merge base: the last commit in common with this branch or commit, such as origin/main',
        )
        .option('--head <revision>', 'judge this commit; default: the working tree as it is')
        .option(
          '--fail-on <gates>',
          'exit with 1 if any gate fails, as for "edgeflex compare"; default: the gates of the suite',
          parseGates,
        )
        .option(
          '--confirm',
          'if a gate fails, measure both again and fail only on regressions that the second time confirms',
        ),
    ),
  );
  command.action(async (suite: string, flags: GateFlags) => {
    const { base, head, failOn: gates, confirm = false } = flags;
    const { signal, release } = stopOnSignal();
    try {
      const job = gate(flags.results, suite, { ...commitOptions(flags), base, head, gates, confirm, signal });
      for await (const event of job) remark(commitEventText(event));
      const comparison = await job;
      await outputs.write(comparison.report, flags);
      if (comparison.broken.length > 0) process.exitCode = exitCodes.gate;
    } finally {
      release();
    }
  });
  return explained(command, {
    notes: [
      'Both commits are measured in turn, round by round, in the order A B B A, so that whatever the machine does hits both alike; rounds of the same number are compared with each other. The base has a git work tree of its own; yours is not touched. Everything in the checkout (suites, recipes, models, plug-ins) is that of the commit, and the images are yours.',
    ],
    examples: [
      [
        'edgeflex gate suites/mine.yaml --base origin/main --fail-on latency:3%,memory:5%',
        'what this branch changes',
      ],
      'edgeflex gate quickstart --base main --setup "npm ci" --command "npx edgeflex"',
      'edgeflex gate cifar10 --base v1.2 --head v1.3 --format markdown -o comment.md',
    ],
  });
}
