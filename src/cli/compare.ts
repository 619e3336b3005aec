import { Command, InvalidArgumentError, Option } from 'commander';
import { writeOutput } from '../base/output.js';
import type { ComparisonReport } from '../analysis/compare/gates.js';
import type { ComparisonExporter } from '../report/compare/exporters/exporter.js';
import { jsonComparisonExporter } from '../report/compare/exporters/json.js';
import { comparisonExporters } from '../report/compare/exporters/list.js';
import { parseGates } from '../analysis/compare/gates.js';
import { compare } from '../library/compare.js';
import type { Gate } from '../base/gate.js';
import { exitCodes } from './failure.js';
import { givenCommand } from './given.js';
import { explained } from './help.js';
import { announce } from './newest.js';
import { RunProgress } from './progress.js';
import { resultsOption } from './results.js';
import { screenWidth, showsColour } from './screen.js';
import { stopOnSignal } from './stop.js';

/** A format that was asked for, and the file it goes to; without one it is printed. */
interface Output {
  readonly exporter: ComparisonExporter;
  readonly file: string | undefined;
}

interface CompareFlags {
  readonly failOn?: readonly Gate[];
  readonly confirm?: string;
  readonly data?: string;
  readonly force?: true;
  readonly overwrite?: true;
  readonly json?: true;
  readonly results: string;
}

/** `edgeflex compare`: two runs side by side, with gates. */
export function compareCommand(): Command {
  // Each -o belongs to the --format before it, so both are gathered in the order they are given.
  const outputs: Output[] = [];
  const command = new Command('compare')
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
    )
    .addOption(
      new Option('--format <name>', 'repeatable')
        .choices(comparisonExporters.map(({ name }) => name))
        .argParser((name: string) => {
          outputs.push({ exporter: exporterCalled(name), file: undefined });
          return name;
        }),
    )
    .option(
      '-o, --output <file>',
      'write the preceding --format to this file instead of printing it',
      (file: string) => {
        const last = outputs.pop();
        if (last === undefined || last.file !== undefined)
          throw new InvalidArgumentError(
            'It must follow the --format it is for, such as --format junit -o out.xml.',
          );
        outputs.push({ ...last, file });
        return file;
      },
    )
    .option('--overwrite', 'overwrite output files that EdgeFlex did not write')
    .option('--json', 'the same as --format json')
    .addOption(resultsOption())
    .action(async (referenceName: string, runName: string | undefined, flags: CompareFlags) => {
      if (flags.json) outputs.push({ exporter: jsonComparisonExporter, file: undefined });
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
        await write(comparison.report, outputs, flags);
        if (comparison.broken.length > 0) process.exitCode = exitCodes.gate;
      } finally {
        release();
      }
    });
  return explained(command, {
    notes: [
      'A difference counts if it is significant over all cells together (p ≤ 0.05 after Holm correction) and at least the minimum detectable effect of the device ("edgeflex calibrate"). A gate fails on a counted regression of at least its limit, and on a cell that failed where the reference did not. A gate that cannot be decided, for instance because other processes disturbed its cells, is reported and does not fail; a gate with nothing to compare fails. Latencies are judged relative to fp32 in the same rounds of the same run, which cancels a slower machine; absolute latencies are shown as well.',
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

function exporterCalled(name: string): ComparisonExporter {
  const found = comparisonExporters.find((exporter) => exporter.name === name);
  if (found) return found;
  throw new InvalidArgumentError(
    `Allowed choices are ${comparisonExporters.map((each) => each.name).join(', ')}.`,
  );
}

/** Writes what was asked for; where all of that goes to files, the terminal still shows the table. */
async function write(
  report: ComparisonReport,
  outputs: readonly Output[],
  flags: CompareFlags,
): Promise<void> {
  for (const { exporter, file } of outputs) {
    if (file === undefined) continue;
    await writeOutput(file, exporter.render(report), {
      force: flags.overwrite ?? false,
      inputs: [flags.results],
    });
  }
  const printed = outputs.filter(({ file }) => file === undefined).map(({ exporter }) => exporter);
  const screen = { colour: showsColour(), width: screenWidth() };
  for (const exporter of printed.length > 0 ? printed : [comparisonExporters[0]])
    process.stdout.write(exporter.render(report, screen));
}
