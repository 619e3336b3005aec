import { Option, type Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { checkedAddress, SERVER_VARIABLE, withoutPassword } from '../../base/server-address.js';

/** The option that says where results lie; every command that reads or writes them has it. */
export function resultsOption(): Option {
  return new Option('--results <directory>', 'folder of the results database').default('results');
}

/** The option that says where reports go. */
export function reportsOption(): Option {
  return new Option('--reports <directory>', 'folder for reports, each in a subfolder').default('reports');
}

/**
 * The address of a shared database, for commands that need a folder of results as well.
 *
 * @param description - what it is for
 */
export function sharedOption(description: string): Option {
  return new Option('--db <address>', `${description}, such as postgres://user@host/edgeflex`).env(
    SERVER_VARIABLE,
  );
}

/** `--db` in place of `--results`. */
class PlaceOption extends Option {}

/** The options of a command that reads or changes results wherever they lie: in a folder, or in a database on a server. */
export function placeOptions(): readonly [Option, Option] {
  const db = new PlaceOption(
    '--db <address>',
    'results database on a PostgreSQL server instead of a folder, such as postgres://user@host/edgeflex',
  );
  return [resultsOption(), db.env(SERVER_VARIABLE)];
}

/**
 * Gives a command that is about to run one place of results: of `--db` and `--results` the one that was typed, then the environment's
 * database, then the folder of the settings or the usual one.
 *
 * @param command - whose option `results` is the place from here on
 * @throws InputError when both were typed, or the address is none
 */
export function choosePlace(command: Command): void {
  const withGroup = [command, command.parent].filter((each) => each !== null);
  const valueOf = (name: string, source: string): string | undefined => {
    const owner = withGroup.find((each) => each.getOptionValueSource(name) === source);
    return owner?.getOptionValue(name) as string | undefined;
  };
  const [db, folder] = [valueOf('db', 'cli'), valueOf('results', 'cli')];
  const isPlace = command.options.some((option) => option instanceof PlaceOption);
  if (isPlace && db !== undefined && folder !== undefined)
    throw new InputError({
      source: '--db',
      found: `${withoutPassword(db)} beside --results ${folder}`,
      expected: 'one place of results',
    });
  const shared = db ?? (isPlace && folder !== undefined ? undefined : valueOf('db', 'env'));
  if (shared !== undefined) checkedAddress(shared, db === undefined ? SERVER_VARIABLE : '--db');
  const place = isPlace ? (shared ?? folder) : folder;
  for (const each of withGroup) {
    // What its group was given counts for the command, and the other way round.
    if (place !== undefined && each.getOptionValueSource('results') !== undefined)
      each.setOptionValueWithSource('results', place, 'cli');
    if (shared !== undefined && each.options.some(({ long }) => long === '--db'))
      each.setOptionValueWithSource('db', shared, 'cli');
  }
}
