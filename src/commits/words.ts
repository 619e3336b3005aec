import { existsSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { InputError } from '../base/errors.js';
import { isWithin, packageRoot } from '../base/paths.js';
import type { SuiteChanges } from '../suite/changes.js';
import type { Checkout } from './checkout.js';

/** Where what is measured goes: the user's folders. */
export interface RunPlaces {
  readonly results: string;
  readonly reports: string;
}

/**
 * What stands behind `edgeflex run` in the work tree of a commit: what lies in the checkout is that of the commit, everything else the user's.
 *
 * @param suite - as the user named it
 * @param checkout - the user's
 * @param changes - what is measured in place of what it says; paths are the user's
 * @param places - where results go
 */
export function runWords(
  suite: string,
  checkout: Checkout,
  changes: SuiteChanges,
  places: RunPlaces,
): string[] {
  const { data, devices = [], images, batches, tier, rounds } = changes;
  const flag = (name: string, value: string | number | undefined): string[] =>
    value === undefined ? [] : [`--${name}`, String(value)];
  return [
    ofCommit(suite, checkout),
    // Images are compared with each other only where they are the same: those of the user.
    ...flag('data', data === undefined ? undefined : resolve(data)),
    ...devices.flatMap((device) => flag('device', ofCommit(device, checkout))),
    ...[...flag('images', images), ...flag('batch', batches?.join(','))],
    ...[...flag('tier', tier), ...flag('rounds', rounds)],
    ...[...flag('results', resolve(places.results)), ...flag('reports', resolve(places.reports))],
  ];
}

/** A path in the checkout, relative to the working folder; names, and what lies elsewhere, as they are. */
function ofCommit(reference: string, { root }: Checkout): string {
  if (!existsSync(reference)) return reference;
  const path = resolve(reference);
  if (!isWithin(root, path)) return path;
  const way = relative(process.cwd(), path);
  return isAbsolute(way) || way.startsWith('.') ? way : `./${way}`;
}

/**
 * The words of the command that measures a commit.
 *
 * @param command - the user's, such as `npx edgeflex`; left out, this EdgeFlex measures all of them
 * @throws InputError for one that says nothing
 */
export function commandWords(command: string | undefined): string[] {
  if (command === undefined) return [process.execPath, join(packageRoot(), 'bin', 'edgeflex.js')];
  const words = command.split(/\s+/).filter((word) => word !== '');
  if (words.length > 0) return words;
  throw new InputError({
    source: '--command',
    found: 'nothing',
    expected: 'the command that measures a commit, such as "npx edgeflex"',
  });
}
