import { Command, Option } from 'commander';
import type { SiblingGroup } from '../../analysis/fleet/siblings.js';
import { siblings, type Siblings } from '../../library/siblings.js';
import { boardsTable, siblingVerdictText, spreadTable } from '../../text/fleet/siblings.js';
import { exitCodes } from '../failure.js';
import { shareOf } from '../options/flags.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { tableText } from '../output/lists.js';
import { placeOptions } from '../options/results.js';

interface SiblingsFlags {
  readonly results: string;
  readonly suite?: string;
  readonly threshold: number;
  readonly failOnOutlier?: true;
  readonly json?: true;
}

/** `edgeflex devices siblings`: copies of one board, and which of them is not like the others. */
export function deviceSiblingsCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('siblings')
    .description('compare copies of one board: how much boards differ, and which one is an outlier')
    .argument('[device]', 'a device by its name in stored runs; default: all that have copies')
    .option('--suite <suite>', 'only runs of this suite')
    .addOption(
      new Option('--threshold <share>', 'smallest deviation of latency that matters')
        .argParser(shareOf)
        .default(0.02, '2%'),
    )
    .option('--fail-on-outlier', 'exit with 1 if a board is not like its siblings')
    .option('--json', 'print the result as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (device: string | undefined, flags: SiblingsFlags) => {
      const { suite, threshold } = flags;
      const found = await siblings(flags.results, { device, suite, threshold });
      if (flags.json)
        printJson('devices siblings', {
          ...found,
          groups: found.groups.map(({ kind, ...group }) => ({ ...group, kind: Object.fromEntries(kind) })),
        });
      else console.log(siblingsText(found));
      const asked = found.groups.flatMap(({ boards }) =>
        boards.filter(({ name }) => device === undefined || name === device),
      );
      if (flags.failOnOutlier && asked.some(({ verdict }) => verdict === 'odd'))
        process.exitCode = exitCodes.gate;
    });
  return explained(command, {
    notes: [
      'Copies are devices that agree in processor, memory, system, runtime and how it is used; the governor and the kernel may differ, and are named where a board is an outlier. Up to ten of the newest runs of each are read.',
    ],
    examples: [
      'edgeflex devices siblings --db postgres://lab@db.example/edgeflex',
      'edgeflex devices siblings pi5-c --suite cifar10 --threshold 3% --fail-on-outlier',
    ],
  });
}

function siblingsText({ device, threshold, groups, alone }: Siblings): string {
  if (groups.length === 0) return 'No two devices of the stored runs are copies of one board.';
  const named = device ?? undefined;
  const texts = groups.map((group) =>
    [
      headText(group, named),
      tableText(spreadTable(group)),
      tableText(boardsTable(group, named, threshold)),
    ].join('\n\n'),
  );
  return [...texts, ...(alone.length > 0 ? [`Without a copy: ${alone.join(', ')}`] : [])].join('\n\n');
}

function headText({ kind, boards }: SiblingGroup, device: string | undefined): string {
  const facts = ['board', 'processor', 'memory'].map((name) => kind.get(name) ?? 'unknown');
  const what = `${boards.length} copies of ${facts.join(', ')}`;
  const own = boards.find(({ name }) => name === device);
  return own === undefined ? what : `${own.name}: ${siblingVerdictText(own.verdict)} (${what})`;
}
