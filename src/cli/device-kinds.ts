import { Command } from 'commander';
import { InputError } from '../base/errors.js';
import { didYouMean } from '../base/similar.js';
import type { DeviceKind } from '../device/kind.js';
import { deviceKinds, findKind } from '../device/registry.js';
import { deviceReference, optionsIn } from '../report/reference.js';
import { registryText } from './lists.js';
import { optionLines } from './stages.js';

interface KindsFlags {
  readonly markdown?: true;
  readonly json?: true;
}

/** `edgeflex devices kinds`: what device profiles can say. */
export function kindsCommand(): Command {
  return new Command('kinds')
    .description('list the kinds of devices, or the fields that profiles of one have')
    .argument('[kind]', 'one kind')
    .option('--markdown', 'print the reference of all fields as Markdown')
    .option('--json', 'print as JSON')
    .action((name: string | undefined, flags: KindsFlags) => {
      const kinds = name === undefined ? deviceKinds() : [known(name)];
      if (flags.json) console.log(JSON.stringify(kinds.map(described), null, 2));
      else if (flags.markdown) console.log(deviceReference(kinds));
      else if (name === undefined)
        console.log(registryText(kinds.map(({ kind, ...rest }) => ({ ...rest, name: kind }))));
      else for (const kind of kinds) console.log(inWords(kind));
    });
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
  return [`${kind}: ${description}`, ...optionLines(optionsIn(profile))].join('\n');
}

function described({ kind, description, origin, profile }: DeviceKind): object {
  return { kind, description, plugin: origin ?? null, fields: optionsIn(profile) };
}
