import { Command, Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { copyRuns, packRuns, unpackRuns, type CopiedRuns } from '../../library/transfer.js';
import { artifactsText, clockText, transferText } from '../../text/transfer.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { placeOptions, resultsOption, sharedOption } from '../options/results.js';

interface TransferFlags {
  readonly results: string;
  readonly db?: string;
  readonly artifacts?: string;
  readonly json?: true;
}

const RUNS = 'ids of runs or their beginnings; default: all';

/** `edgeflex runs push`: copies runs from a folder to the shared database. */
export function pushCommand(): Command {
  const command = new Command('push')
    .description('copy runs from the results folder to a database on a server')
    .argument('[run...]', RUNS)
    .addOption(resultsOption())
    .addOption(sharedOption('database on a PostgreSQL server that the runs go to'))
    .addOption(artifactsOption())
    .option('--json', 'print what became of each run as JSON')
    .action(async (runs: readonly string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TransferFlags>();
      say(
        'runs push',
        flags,
        await copyRuns(flags.results, sharedIn(flags), { ...wishes(runs), artifacts: flags.artifacts }),
      );
    });
  return explained(command, {
    notes: [
      'Only what is missing there is copied, then read back and compared. Nothing there is overwritten; a repeated push copies nothing. Baselines are names of one database, and stay.',
      'Give the password in PGPASSWORD or ~/.pgpass: other users of a machine can see what is typed.',
    ],
    examples: [
      'edgeflex runs push --db postgres://lab@db.example/edgeflex',
      ['edgeflex runs push 20261122', 'the runs of one day, to the database that EDGEFLEX_DB names'],
      ['edgeflex runs push --artifacts /mnt/lab/models', 'with the compressed models that were measured'],
    ],
  });
}

/** `edgeflex runs pull`: copies runs from the shared database to a folder. */
export function pullCommand(): Command {
  const command = new Command('pull')
    .description('copy runs from a database on a server to the results folder')
    .argument('[run...]', RUNS)
    .addOption(resultsOption())
    .addOption(sharedOption('database on a PostgreSQL server that has the runs'))
    .addOption(artifactsOption())
    .option('--json', 'print what became of each run as JSON')
    .action(async (runs: readonly string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TransferFlags>();
      say(
        'runs pull',
        flags,
        await copyRuns(sharedIn(flags), flags.results, { ...wishes(runs), artifacts: flags.artifacts }),
      );
    });
  return explained(command, {
    notes: ['A run that was pulled can be reported, compared and, on the same devices, resumed here.'],
    examples: [
      'edgeflex runs pull 20261122-101530-4f2a --db postgres://lab@db.example/edgeflex',
      ['edgeflex runs pull', 'all runs of the database that EDGEFLEX_DB names'],
    ],
  });
}

/** `edgeflex runs export`: writes runs to a file. */
export function exportCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('export')
    .description('write runs to a file of their own, to be imported elsewhere')
    .argument('<file>', 'the new file')
    .argument('[run...]', RUNS)
    .addOption(results)
    .addOption(db)
    .option('--json', 'print what became of each run as JSON')
    .action(async (file: string, runs: readonly string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TransferFlags>();
      say('runs export', flags, await packRuns(flags.results, file, wishes(runs)));
    });
  return explained(command, {
    notes: ['The file is an SQLite database of the same schema, and appears when it is whole.'],
    examples: [
      'edgeflex runs export all-runs.db',
      ['edgeflex runs export paper.db 20261122-101530-4f2a 20261123', 'only these runs'],
    ],
  });
}

/** `edgeflex runs import`: reads runs from a file. */
export function importCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('import')
    .description('add the runs of a file to the results')
    .argument('<file>', 'a file written by "runs export", or any edgeflex.db')
    .argument('[run...]', RUNS)
    .addOption(results)
    .addOption(db)
    .option('--json', 'print what became of each run as JSON')
    .action(async (file: string, runs: readonly string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<TransferFlags>();
      say('runs import', flags, await unpackRuns(flags.results, file, wishes(runs)));
    });
  return explained(command, {
    notes: [
      'The file is not changed. What is there already is left as it is; a repeated import adds nothing.',
    ],
    examples: [
      'edgeflex runs import all-runs.db',
      ['edgeflex runs import /mnt/board/results/edgeflex.db', 'the runs of another folder'],
    ],
  });
}

function artifactsOption(): Option {
  return new Option(
    '--artifacts <directory>',
    'folder shared by the machines: copy the compressed models there, too, or from there',
  );
}

function wishes(runs: readonly string[]): { readonly runs?: readonly string[] } {
  return runs.length === 0 ? {} : { runs };
}

function sharedIn({ db }: TransferFlags): string {
  if (db !== undefined) return db;
  throw new InputError({
    source: '--db',
    found: 'nothing',
    expected: 'the address of a PostgreSQL database, such as postgres://user@host/edgeflex',
    hint: 'EDGEFLEX_DB can name it, too.',
  });
}

function say(
  name: 'runs push' | 'runs pull' | 'runs export' | 'runs import',
  { json }: TransferFlags,
  copied: CopiedRuns,
): void {
  const { runs, rooflines, artifacts, clockAheadSeconds } = copied;
  if (json) printJson(name, copied);
  else if (runs.length === 0) console.log('No runs stored yet.');
  else {
    console.log(
      listText(
        {
          run: 'run',
          suite: 'suite',
          what: 'what became of it',
          verified: 'rounds compared',
          digest: 'SHA-256',
        },
        runs.map((run) => ({
          ...{ run: run.id, suite: run.suite, what: transferText(run) },
          ...{ verified: String(run.verified), digest: run.digest.slice(0, 12) },
        })),
      ),
    );
    if (rooflines > 0) console.log(`${rooflines} rooflines of their devices were copied.`);
    if (artifacts !== null) console.log(artifactsText(artifacts));
  }
  if (clockAheadSeconds !== 0) console.error(clockText(clockAheadSeconds));
}
