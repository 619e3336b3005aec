import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { connect, openForReading } from '../store/open.js';
import { checkStore, recoverStore } from '../store/recover.js';
import { exitCodes } from './failure.js';
import { listText } from './lists.js';
import { databaseIn, resultsOption } from './results.js';

interface Flags {
  readonly results: string;
}

/** `edgeflex store`: looks after the results database. */
export function storeCommand(): Command {
  return new Command('store')
    .description('look after the results database: check it, copy it, save what a damaged one still holds')
    .addCommand(checkCommand())
    .addCommand(recoverCommand())
    .addCommand(backupCommand());
}

function checkCommand(): Command {
  return new Command('check')
    .description(
      'look through all of it: pages, references, what stands in every column; exit code 2 when anything is wrong',
    )
    .addOption(resultsOption())
    .action(async ({ results }: Flags) => {
      const path = databaseIn(results);
      // What is missing, foreign or newer is said as everywhere.
      await (await openForReading(path)).destroy();
      const faults = checkStore(path);
      if (faults.length === 0) console.log(`${path}: nothing is wrong`);
      else {
        console.log(listText({ where: 'where', what: 'what is wrong' }, faults));
        console.log('\n"edgeflex store recover <file>" copies all that can be read into a new database.');
        process.exitCode = exitCodes.usage;
      }
    });
}

function recoverCommand(): Command {
  return new Command('recover')
    .description(
      'copy every row that can be read and is sound into a new database; the old one stays as it is',
    )
    .argument('<file>', 'the new database, such as recovered/edgeflex.db: --results recovered then uses it')
    .addOption(resultsOption())
    .action(async (file: string, { results }: Flags) => {
      refuseExisting(file);
      const tables = await recoverStore(databaseIn(results), file);
      console.log(
        listText(
          { table: 'table', copied: 'rows copied', leftOut: 'left out', cut: '' },
          tables.map(({ table, copied, leftOut, cut }) => ({
            ...{ table, copied: String(copied), leftOut: String(leftOut) },
            cut: cut ? 'and others that could not be read' : '',
          })),
        ),
      );
      console.log(`\n${file}: what was saved. ${databaseIn(results)} is as it was.`);
    });
}

function backupCommand(): Command {
  return new Command('backup')
    .description('copy it as it is at one moment, also while a run is being measured')
    .argument('<file>', 'the copy; there must be none')
    .addOption(resultsOption())
    .action(async (file: string, { results }: Flags) => {
      refuseExisting(file);
      const path = databaseIn(results);
      await (await openForReading(path)).destroy();
      const database = connect(path, { readonly: true, fileMustExist: true });
      const partial = `${file}.partial`;
      try {
        await database.backup(partial);
        await rename(partial, file);
      } finally {
        database.close();
        await rm(partial, { force: true });
      }
      console.log(`${file}: a copy of ${path}`);
    });
}

function refuseExisting(file: string): void {
  if (!existsSync(file)) return;
  throw new InputError({
    source: file,
    found: 'a file',
    expected: 'the name of a file that is not there yet',
  });
}
