import { Command } from 'commander';
import { databaseIn } from '../../base/paths.js';
import { backUpResults, checkResults, recoverResults } from '../../library/database.js';
import { exitCodes } from '../failure.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { resultsOption } from '../options/results.js';

interface Flags {
  readonly results: string;
  readonly json?: true;
}

/** `edgeflex store`: looks after the results database. */
export function storeCommand(): Command {
  const command = new Command('store')
    .addCommand(checkCommand())
    .addCommand(recoverCommand())
    .addCommand(backupCommand());
  return explained(command, {
    examples: ['edgeflex store check', 'edgeflex store backup results-before.db'],
  });
}

function checkCommand(): Command {
  const command = new Command('check')
    .description('check every page, reference and value; exit code 2 if anything is wrong')
    .option('--json', 'print the result as JSON')
    .addOption(resultsOption())
    .action(async ({ results, json }: Flags) => {
      const path = databaseIn(results);
      const faults = await checkResults(results);
      if (faults.length > 0) process.exitCode = exitCodes.usage;
      if (json) printJson('store check', { path, faults });
      else if (faults.length === 0) console.log(`${path}: no errors found`);
      else {
        console.log(listText({ where: 'where', what: 'what is wrong' }, faults));
        console.log('\n"edgeflex store recover <file>" copies everything readable into a new database.');
      }
    });
  return explained(command, {
    examples: ['edgeflex store check', 'edgeflex store check --results other/results'],
  });
}

function recoverCommand(): Command {
  const command = new Command('recover')
    .description('copy every readable, valid row into a new database; the old one is not changed')
    .argument('<file>', 'the new database, such as recovered/edgeflex.db; use it with --results recovered')
    .option('--json', 'print the result as JSON')
    .addOption(resultsOption())
    .action(async (file: string, { results, json }: Flags) => {
      const tables = await recoverResults(results, file);
      if (json) {
        printJson('store recover', { path: databaseIn(results), recovered: file, tables });
        return;
      }
      console.log(
        listText(
          { table: 'table', copied: 'rows copied', leftOut: 'left out', cut: '' },
          tables.map(({ table, copied, leftOut, cut }) => ({
            ...{ table, copied: String(copied), leftOut: String(leftOut) },
            cut: cut ? 'and more that could not be read' : '',
          })),
        ),
      );
      console.log(`\nRecovered to ${file}. ${databaseIn(results)} was not changed.`);
    });
  return explained(command, {
    examples: [
      'edgeflex store recover recovered/edgeflex.db',
      'edgeflex store recover recovered/edgeflex.db --results other/results',
    ],
  });
}

function backupCommand(): Command {
  const command = new Command('backup')
    .description('make a consistent copy, even while a run is in progress')
    .argument('<file>', 'the copy; it must not exist yet')
    .option('--json', 'print the result as JSON')
    .addOption(resultsOption())
    .action(async (file: string, { results, json }: Flags) => {
      await backUpResults(results, file);
      const path = databaseIn(results);
      if (json) printJson('store backup', { path, copy: file });
      else console.log(`${file}: a copy of ${path}`);
    });
  return explained(command, {
    examples: [
      'edgeflex store backup backup.db',
      'edgeflex store backup /mnt/usb/edgeflex.db --results other/results',
    ],
  });
}
