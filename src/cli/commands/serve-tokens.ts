import { Argument, Command, Option } from 'commander';
import { InputError } from '../../base/errors.js';
import { open } from '../../library/results.js';
import { roles, type Role } from '../../serve/api/contract.js';
import { addToken, listTokens, removeToken } from '../../store/tokens.js';
import * as format from '../../text/format.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { placeOptions } from '../options/results.js';
import { listText } from '../output/lists.js';
import { remark } from '../output/screen.js';

interface Flags {
  readonly results: string;
  readonly name?: string;
  readonly role?: Role;
  readonly json?: true;
}

const actions = ['add', 'list', 'remove'] as const;

/** `edgeflex serve token`: who may use the dashboard. */
export function tokenCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('token')
    .description('make, list and remove tokens of the dashboard')
    .addArgument(new Argument('<action>', 'what to do').choices(actions))
    .option('--name <name>', 'name of the token: whose it is, or what for')
    .addOption(new Option('--role <role>', 'what its holder may do').choices(roles))
    .option('--json', 'print the result as JSON')
    .addOption(results)
    .addOption(db)
    .action(async (action: (typeof actions)[number], flags: Flags) => {
      // The first token may be made before the first run.
      const stored = await open(flags.results, { existing: action !== 'add' });
      try {
        switch (action) {
          case 'add': {
            const [name, role] = [needed(flags.name, '--name'), needed(flags.role, '--role')];
            const added = await addToken(stored.db, name, role);
            if (flags.json) printJson('serve token', { tokens: [added] });
            else {
              console.log(added.token);
              remark(`This is the only time that the token of ${name} (${role}) is shown.`);
            }
            return;
          }
          case 'list': {
            const tokens = await listTokens(stored.db);
            if (flags.json) printJson('serve token', { tokens });
            else if (tokens.length === 0) console.log('There are no tokens.');
            else
              console.log(
                listText(
                  { name: 'name', role: 'role', made: 'made' },
                  tokens.map(({ name, role, createdAt }) => ({ name, role, made: format.moment(createdAt) })),
                ),
              );
            return;
          }
          case 'remove': {
            const name = needed(flags.name, '--name');
            const removed = await removeToken(stored.db, name);
            if (flags.json) printJson('serve token', { tokens: [removed] });
            else console.log(`${name} is refused from now on.`);
          }
        }
      } finally {
        await stored.close();
      }
    });
  return explained(command, {
    notes: [
      'read: look at everything but the audit log. submit: also submit suites and cancel jobs. admin: also drain devices and read the audit log.',
      'A token is 256 random bits, shown once. Only its SHA-256 is stored.',
    ],
    examples: [
      'edgeflex serve token add --name alice --role admin',
      'edgeflex serve token list',
      'edgeflex serve token remove --name alice',
    ],
  });
}

/** @throws InputError when it was not given */
function needed<Value>(value: Value | undefined, flag: string): Value {
  if (value !== undefined) return value;
  throw new InputError({
    source: flag,
    found: 'nothing',
    expected: flag === '--role' ? `one of ${roles.join(', ')}` : 'the name of the token',
  });
}
