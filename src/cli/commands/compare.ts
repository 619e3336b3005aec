import { Command } from 'commander';
import { parseGates } from '../../analysis/compare/gates.js';
import { compare } from '../../library/compare.js';
import type { Gate } from '../../base/gate.js';
import { ComparisonOutputs, type OutputFlags } from '../output/comparison-outputs.js';
import { exitCodes } from '../failure.js';
import { givenCommand } from '../options/given.js';
import { explained } from '../help.js';
import { announce } from '../options/newest.js';
import { RunProgress } from '../output/progress.js';
import { placeOptions } from '../options/results.js';
import { stopOnSignal } from '../stop.js';

interface CompareFlags extends OutputFlags {
  readonly failOn?: readonly Gate[];
  readonly confirm?: string;
  readonly data?: string;
  readonly force?: true;
}

/** `edgeflex compare`: two runs side by side, with gates. */
export function compareCommand(): Command {
  const outputs = new ComparisonOutputs();
  const [results, db] = placeOptions();
  const command = outputs
    .addTo(
      new Command('compare')
        .argument('<reference>', 'what to compare with: a baseline, or the first characters of a run id')
        .argument('[run]', 'the run to judge, named the same way; default: the newest finished run')
        .option(
          '--fail-on <gates>',
          'exit with 1 if any gate fails, such as latency:2%,memory:5%,latency@int8:5%,accuracy:0.3pt; default: the gates of the suite',
          parseGates,
        )
        .option(
          '--confirm <suite>',
          'if a gate fails, run this suite again and fail only on regressions that the second run confirms',
        )
        .option('--data <path>', 'the folder of its images, as for "edgeflex run"')
        .option(
          '--force',
          'compare even across machines, software versions or images; the differences are listed',
        ),
    )
    .addOption(results)
    .addOption(db)
    .action(async (referenceName: string, runName: string | undefined, flags: CompareFlags) => {
      const { failOn: gates, confirm, data } = flags;
      const { signal, release } = stopOnSignal();
      try {
        const comparison = await new RunProgress(process.stderr).watch(
          compare(flags.results, referenceName, {
            ...{ run: runName, gates, confirm, data, signal, force: flags.force ?? false },
            command: givenCommand(),
          }),
        );
        announce(comparison.newest);
        await outputs.write(comparison.report, flags);
        if (comparison.broken.length > 0) process.exitCode = exitCodes.gate;
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'A difference counts if it is significant over all cells together (p ≤ 0.05 after Holm correction) and at least the minimum detectable effect of the device ("edgeflex calibrate"). A gate fails on a counted regression of at least its limit, and on a cell that failed where the reference did not. A gate that cannot be decided, for instance because other processes disturbed its cells, is reported and does not fail; a gate with nothing to compare fails. Latencies are judged relative to fp32 in the same rounds of the same run, which cancels a slower machine; absolute latencies are shown as well. Runs that were measured in turn ("edgeflex gate") are compared round by round instead.',
    ],
    examples: [
      ['edgeflex compare 20261122 20261123', 'two runs, by the first characters of their ids'],
      'edgeflex compare 20261122 --fail-on latency:2%,memory:5%,accuracy:0.3pt',
      'edgeflex compare main --fail-on latency:2% --confirm cifar10',
      'edgeflex compare 20261122 --format markdown -o comment.md --format junit -o compare.xml',
      ['edgeflex compare 20261122 --format github', 'annotations in a GitHub Actions step'],
    ],
  });
}
