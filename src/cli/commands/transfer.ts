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
  return transferCommand({
    name: 'push',
    description: 'copy runs from the results folder to a database on a server',
    options: [
      resultsOption(),
      sharedOption('database on a PostgreSQL server that the runs go to'),
      artifactsOption(),
    ],
    copy: (flags, runs) =>
      copyRuns(flags.results, sharedIn(flags), { ...wishes(runs), artifacts: flags.artifacts }),
    explanation: {
      notes: [
        'Only what is missing there is copied, then read back and compared. Nothing there is overwritten; a repeated push copies nothing. Baselines are names of one database, and stay.',
        'Give the password in PGPASSWORD or ~/.pgpass: other users of a machine can see what is typed.',
      ],
      examples: [
        'edgeflex runs push --db postgres://lab@db.example/edgeflex',
        ['edgeflex runs push 20261122', 'the runs of one day, to the database that EDGEFLEX_DB names'],
        ['edgeflex runs push --artifacts /mnt/lab/models', 'with the compressed models that were measured'],
      ],
    },
  });
}

/** `edgeflex runs pull`: copies runs from the shared database to a folder. */
export function pullCommand(): Command {
  return transferCommand({
    name: 'pull',
    description: 'copy runs from a database on a server to the results folder',
    options: [
      resultsOption(),
      sharedOption('database on a PostgreSQL server that has the runs'),
      artifactsOption(),
    ],
    copy: (flags, runs) =>
      copyRuns(sharedIn(flags), flags.results, { ...wishes(runs), artifacts: flags.artifacts }),
    explanation: {
      notes: ['A run that was pulled can be reported, compared and, on the same devices, resumed here.'],
      examples: [
        'edgeflex runs pull 20261122-101530-4f2a --db postgres://lab@db.example/edgeflex',
        ['edgeflex runs pull', 'all runs of the database that EDGEFLEX_DB names'],
      ],
    },
  });
}

/** `edgeflex runs export`: writes runs to a file. */
export function exportCommand(): Command {
  return transferCommand({
    name: 'export',
    description: 'write runs to a file of their own, to be imported elsewhere',
    file: 'the new file',
    options: placeOptions(),
    copy: ({ results }, [file = '', ...runs]) => packRuns(results, file, wishes(runs)),
    explanation: {
      notes: ['The file is an SQLite database of the same schema, and appears when it is whole.'],
      examples: [
        'edgeflex runs export all-runs.db',
        ['edgeflex runs export paper.db 20261122-101530-4f2a 20261123', 'only these runs'],
      ],
    },
  });
}

/** `edgeflex runs import`: reads runs from a file. */
export function importCommand(): Command {
  return transferCommand({
    name: 'import',
    description: 'add the runs of a file to the results',
    file: 'a file written by "runs export", or any edgeflex.db',
    options: placeOptions(),
    copy: ({ results }, [file = '', ...runs]) => unpackRuns(results, file, wishes(runs)),
    explanation: {
      notes: [
        'The file is not changed. What is there already is left as it is; a repeated import adds nothing.',
      ],
      examples: [
        'edgeflex runs import all-runs.db',
        ['edgeflex runs import /mnt/board/results/edgeflex.db', 'the runs of another folder'],
      ],
    },
  });
}

/** A way to copy runs from one place to another. */
interface Transfer {
  readonly name: 'push' | 'pull' | 'export' | 'import';
  readonly description: string;
  /** What the file is that is named before the runs, where there is one. */
  readonly file?: string;
  /** Where runs come from and go to. */
  readonly options: readonly Option[];
  readonly explanation: Parameters<typeof explained>[1];
  /** Copies: the words are the file, where there is one, and the runs. */
  readonly copy: (flags: TransferFlags, words: readonly string[]) => Promise<CopiedRuns>;
}

function transferCommand({ name, description, file, options, explanation, copy }: Transfer): Command {
  const command = new Command(name).description(description);
  if (file !== undefined) command.argument('<file>', file);
  command.argument('[run...]', RUNS);
  for (const option of options) command.addOption(option);
  command.option('--json', 'print what became of each run as JSON').action(async () => {
    const flags = command.optsWithGlobals<TransferFlags>();
    say(`runs ${name}`, flags, await copy(flags, command.args));
  });
  return explained(command, explanation);
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

function say(name: `runs ${Transfer['name']}`, { json }: TransferFlags, copied: CopiedRuns): void {
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
