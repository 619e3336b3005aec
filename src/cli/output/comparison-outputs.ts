import { InvalidArgumentError, Option, type Command } from 'commander';
import type { ComparisonReport } from '../../analysis/compare/gates.js';
import { writeOutput } from '../../base/output.js';
import type { ComparisonExporter } from '../../report/compare/exporters/exporter.js';
import { jsonComparisonExporter } from '../../report/compare/exporters/json.js';
import { comparisonExporters } from '../../report/compare/exporters/list.js';
import { screenWidth, showsColour } from './screen.js';

/** A format that was asked for, and the file it goes to; without one it is printed. */
interface Output {
  readonly exporter: ComparisonExporter;
  readonly file: string | undefined;
}

/** Flags that say how outputs are written. */
export interface OutputFlags {
  readonly overwrite?: true;
  readonly json?: true;
  readonly results: string;
}

/** The formats and files that a command is asked to give a comparison in: each -o belongs to the --format before it. */
export class ComparisonOutputs {
  private readonly outputs: Output[] = [];

  /**
   * Adds the flags to a command.
   *
   * @param command - that compares
   * @returns the command
   */
  addTo(command: Command): Command {
    return command
      .addOption(
        new Option('--format <name>', 'repeatable')
          .choices(comparisonExporters.map(({ name }) => name))
          .argParser((name: string) => {
            this.outputs.push({ exporter: exporterCalled(name), file: undefined });
            return name;
          }),
      )
      .option(
        '-o, --output <file>',
        'write the preceding --format to this file instead of printing it',
        (file: string) => {
          const last = this.outputs.pop();
          if (last === undefined || last.file !== undefined)
            throw new InvalidArgumentError(
              'It must follow the --format it is for, such as --format junit -o out.xml.',
            );
          this.outputs.push({ ...last, file });
          return file;
        },
      )
      .option('--overwrite', 'overwrite output files that EdgeFlex did not write')
      .option('--json', 'the same as --format json');
  }

  /**
   * Writes what was asked for; where all of that goes to files, the terminal still shows the table.
   *
   * @param report - the comparison
   * @param flags - of the command
   */
  async write(report: ComparisonReport, flags: OutputFlags): Promise<void> {
    const outputs = flags.json
      ? [...this.outputs, { exporter: jsonComparisonExporter, file: undefined }]
      : this.outputs;
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
}

function exporterCalled(name: string): ComparisonExporter {
  const found = comparisonExporters.find((exporter) => exporter.name === name);
  if (found) return found;
  throw new InvalidArgumentError(
    `Allowed choices are ${comparisonExporters.map((each) => each.name).join(', ')}.`,
  );
}
