import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { Command } from 'commander';
import { messageOf } from '../../base/errors.js';
import { listNamed, pathOf, type NamedKind } from '../../base/named.js';
import { pluginsOf, readRecipe, readSuite } from '../../suite/read.js';
import { loadPlugins } from '../../plugins/load.js';
import { suiteReference } from '../../report/reference.js';
import { oneLine } from '../../text/format.js';
import { explained } from '../help.js';
import { printJson, type ListedFile } from '../json.js';
import { listText } from '../output/lists.js';

interface ListFlags {
  readonly markdown?: true;
  readonly json?: true;
}

/** `edgeflex suites`: the suites that go by a name. */
export function suitesCommand(): Command {
  const command = namedCommand('suite', async (path) => {
    await loadPlugins(await pluginsOf(path), path);
    return (await readSuite(path)).description;
  });
  return command.option('--markdown', 'print the reference of all fields of suites and recipes as Markdown');
}

/** `edgeflex recipes`: the recipes that go by a name. */
export function recipesCommand(): Command {
  return namedCommand('recipe', async (path) => (await readRecipe(path)).description);
}

/**
 * A command that lists what goes by a name, and shows one of them as it is written.
 *
 * @param kind - of what
 * @param describe - reads one, and gives its description
 */
function namedCommand(
  kind: Extract<NamedKind, 'suite' | 'recipe'>,
  describe: (path: string) => Promise<string>,
): Command {
  const list = async ({ json, markdown }: ListFlags): Promise<void> => {
    if (markdown) {
      console.log(suiteReference());
      return;
    }
    const found: ListedFile[] = [];
    for (const named of listNamed(kind))
      found.push({
        ...named,
        description: await describe(named.path).catch((error: unknown) => `✗ ${messageOf(error)}`),
      });
    if (json) printJson(`${kind}s`, found);
    else
      console.log(
        listText(
          { name: kind, builtIn: 'from', description: 'description' },
          found.map(({ name, builtIn, path, description }) => ({
            name,
            builtIn: builtIn ? 'EdgeFlex' : relative('', path),
            description: oneLine(description),
          })),
        ),
      );
  };
  const example = kind === 'suite' ? 'quickstart' : 'edgeflex';
  const show = `edgeflex ${kind}s show ${example} > my-${kind}.yaml`;
  const command = new Command(`${kind}s`)
    .option('--json', 'print the list as JSON')
    .action(list)
    .addCommand(
      explained(
        new Command('list')
          .description(`list ${kind}s, yours and the built-in ones`)
          .option('--json', 'print the list as JSON')
          .action((_flags: ListFlags, child: Command) => list(child.optsWithGlobals<ListFlags>())),
        { examples: [`edgeflex ${kind}s list`, `edgeflex ${kind}s list --json | jq -r '.[].name'`] },
      ),
    )
    .addCommand(
      explained(
        new Command('show')
          .description(`print the file of a ${kind}, to start your own from`)
          .argument(`<${kind}>`, 'a name, or a file')
          .option('--json', 'print its name, its path and its text as JSON')
          .action(async (reference: string, _flags: ListFlags, child: Command) => {
            const path = pathOf(kind, reference);
            const text = await readFile(path, 'utf8');
            const { json } = child.optsWithGlobals<ListFlags>();
            if (json) printJson(`${kind}s show`, { name: reference, path, text });
            else process.stdout.write(text);
          }),
        { examples: [`edgeflex ${kind}s show ${example}`, show] },
      ),
    );
  return explained(command, {
    notes: [
      `${kind}s/<name>.yaml in the working folder can be used by its name, and takes precedence over a built-in one.`,
    ],
    examples: [`edgeflex ${kind}s`, show],
  });
}
