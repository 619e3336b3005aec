import { Command, Option } from 'commander';
import { defined } from '../../base/defined.js';
import { writeOutput } from '../../base/output.js';
import { ablation } from '../../library/ablation.js';
import { ablationExporters } from '../../report/ablation/exporters.js';
import { explained } from '../help.js';
import { announce } from '../options/newest.js';
import { placeOptions } from '../options/results.js';
import { screenWidth, showsColour } from '../output/screen.js';

interface AblationFlags {
  readonly reference?: string;
  readonly format: string;
  readonly output?: string;
  readonly overwrite?: true;
  readonly json?: true;
  readonly results: string;
}

/** `edgeflex ablation`: what each factor of a suite's matrix does. */
export function ablationCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('ablation')
    .argument('[run]', 'a run id or its first characters; default: the newest finished run')
    .option('--reference <variant>', 'also compare every variant with this one')
    .addOption(
      new Option('--format <name>', 'how to print the effects')
        .choices(ablationExporters.map(({ name }) => name))
        .default('text'),
    )
    .option('-o, --output <file>', 'write to this file instead of printing')
    .option('--overwrite', 'overwrite an output file that EdgeFlex did not write')
    .option('--json', 'the same as --format json')
    .addOption(results)
    .addOption(db)
    .action(async (run: string | undefined, flags: AblationFlags) => {
      const { reference, output, overwrite, results } = flags;
      const { report, newest } = await ablation(results, { run, reference });
      announce(newest);
      const format = flags.json ? 'json' : flags.format;
      const exporter = defined(
        ablationExporters.find(({ name }) => name === format),
        'a format',
      );
      if (output === undefined)
        process.stdout.write(exporter.render(report, { colour: showsColour(), width: screenWidth() }));
      else
        await writeOutput(output, exporter.render(report), {
          force: overwrite ?? false,
          inputs: [results],
        });
    });
  return explained(command, {
    notes: [
      'The suite of the run needs a matrix: of factors. Main effects and interactions come with 95 % intervals and Holm correction; the attribution divides the total difference among the factors by their Shapley values. The HTML report shows the same, with charts.',
    ],
    examples: [
      'edgeflex ablation',
      ['edgeflex ablation 20261122 --reference prune+int8', 'all variants against this one as well'],
      ['edgeflex ablation --format latex -o ablation.tex', 'tables for a paper (booktabs, graphicx)'],
    ],
  });
}
