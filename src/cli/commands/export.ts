import { Command } from 'commander';
import { exportRuns } from '../../library/export.js';
import { integer } from '../../text/format.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';

interface ExportFlags {
  readonly parquet: string;
  readonly force?: true;
  readonly json?: true;
  readonly results: string;
}

/** `edgeflex export`: runs as files for other programs. */
export function exportCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('export')
    .argument('[run...]', 'run ids or their first characters; default: all runs')
    .requiredOption('--parquet <directory>', 'folder for the Parquet files')
    .option('--force', 'overwrite files in that folder that EdgeFlex did not write')
    .option('--json', 'print what was written as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (runs: readonly string[], { parquet, force, json, results }: ExportFlags) => {
      const files = await exportRuns(results, parquet, { runs, force: force ?? false });
      if (json) printJson('export', { directory: parquet, files });
      else
        console.log(
          listText(
            { file: 'file', rows: 'rows' },
            files.map(({ file, rows }) => ({ file, rows: integer(rows) })),
          ),
        );
    });
  return explained(command, {
    notes: [
      'Writes runs, devices, cells, rounds, figures, samples and predictions. The unit and the meaning of every column are in the metadata of each file (edgeflex.columns) and in docs/reference/database.md.',
    ],
    examples: [
      ['edgeflex export --parquet parquet', 'all runs, for pandas, Polars, DuckDB or R'],
      ['edgeflex export 20261122 --parquet parquet', 'the run whose id starts with this'],
    ],
  });
}
