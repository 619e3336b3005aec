import { Command } from 'commander';
import { InputError } from '../../base/errors.js';
import { didYouMean } from '../../base/similar.js';
import type { DeviceKind } from '../../device/kind.js';
import { deviceKinds, findKind } from '../../device/registry.js';
import { wrapped } from '../../base/wrap.js';
import { deviceReference, optionsIn } from '../../report/reference.js';
import { explained } from '../help.js';
import { printJson, type DeviceKindJson } from '../json.js';
import { registryText } from '../output/lists.js';
import { screenWidth } from '../output/screen.js';
import { optionLines } from './stages.js';

interface KindsFlags {
  readonly markdown?: true;
  readonly json?: true;
}

/** `edgeflex devices kinds`: what device profiles can say. */
export function kindsCommand(): Command {
  const command = new Command('kinds')
    .description('list the kinds of devices, or the profile fields of one')
    .argument('[kind]', 'one kind')
    .option('--markdown', 'print the reference of all fields as Markdown')
    .option('--json', 'print the list as JSON')
    .action((name: string | undefined, flags: KindsFlags) => {
      const kinds = name === undefined ? deviceKinds() : [known(name)];
      if (flags.json) printJson('devices kinds', kinds.map(described));
      else if (flags.markdown) console.log(deviceReference(kinds));
      else if (name === undefined)
        console.log(registryText(kinds.map(({ kind, ...rest }) => ({ ...rest, name: kind }))));
      else for (const kind of kinds) console.log(inWords(kind));
    });
  return explained(command, { examples: ['edgeflex devices kinds', 'edgeflex devices kinds ssh'] });
}

function known(name: string): DeviceKind {
  const kind = findKind(name);
  if (kind !== undefined) return kind;
  const names = deviceKinds().map((each) => each.kind);
  throw new InputError({
    source: 'devices kinds',
    found: `the unknown kind "${name}"${didYouMean(name, names)}`,
    expected: names.join(', '),
  });
}

function inWords({ kind, description, profile }: DeviceKind): string {
  return [...wrapped(`${kind}: ${description}`, screenWidth()), ...optionLines(optionsIn(profile))].join(
    '\n',
  );
}

function described({ kind, description, origin, profile }: DeviceKind): DeviceKindJson {
  return { kind, description, plugin: origin ?? null, fields: optionsIn(profile) };
}
