import { basename, join } from 'node:path';
import { Command } from 'commander';
import { isName } from '../../base/named.js';
import { definitions, wrapped } from '../../base/wrap.js';
import { kindOf } from '../../device/registry.js';
import {
  checkDevice,
  cleanDevice,
  describeDevice,
  listDevices,
  type CleanedDevice,
  type DeviceCheck,
  type DeviceDescription,
} from '../../library/devices.js';
import { adapterText, coresText, restrictionText } from '../../text/environment.js';
import { mebibytes, oneLine } from '../../text/format.js';
import { deviceCompareCommand } from './device-compare.js';
import { deviceSiblingsCommand } from './device-siblings.js';
import { kindsCommand } from './device-kinds.js';
import { exitCodes } from '../failure.js';
import { findingsText } from '../output/findings.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { listText } from '../output/lists.js';
import { screenWidth } from '../output/screen.js';

interface DevicesFlags {
  readonly devices?: string;
  readonly json?: true;
}

/** `edgeflex devices`: what there is to measure on, and how it is. */
export function devicesCommand(): Command {
  const command = new Command('devices');
  const subcommand = (name: string, description: string, examples: readonly [string, string]): Command => {
    const child = explained(withFlags(new Command(name).description(description)), { examples });
    command.addCommand(child);
    return child;
  };
  const A_PROFILE = 'a file, or a name listed by "edgeflex devices list"';
  subcommand('list', 'list device profiles, yours and the built-in ones', [
    'edgeflex devices list',
    'edgeflex devices list --devices lab/',
  ]).action(list);
  subcommand('check', 'check everything a run on a device depends on and how to fix what is wrong', [
    'edgeflex devices check raspberry-pi-5',
    'edgeflex devices check local-cpu browser-webgpu --json',
  ])
    .argument('<profile...>', A_PROFILE)
    .action(check);
  subcommand('describe', 'describe a device as a run would record it', [
    'edgeflex devices describe local-cpu',
    'edgeflex devices describe raspberry-pi-5 --json',
  ])
    .argument('<profile>', A_PROFILE)
    .action(describe);
  subcommand('clean', 'remove everything that runs have left on a board', [
    'edgeflex devices clean raspberry-pi-5',
    'edgeflex devices clean lab/board-1.yaml lab/board-2.yaml',
  ])
    .argument('<profile...>', A_PROFILE)
    .action(clean);
  command.addCommand(deviceCompareCommand());
  command.addCommand(deviceSiblingsCommand());
  command.addCommand(kindsCommand());
  return explained(command, { examples: ['edgeflex devices list', 'edgeflex devices check raspberry-pi-5'] });
}

function withFlags(command: Command): Command {
  return command
    .option('--devices <directory>', 'a folder of profiles to use instead of "devices" and the built-in ones')
    .option('--json', 'print the result as JSON');
}

/** What a user means by a profile: a file, or a name in the folder of profiles. */
function profileAt(reference: string, { devices }: DevicesFlags): string {
  return devices !== undefined && isName(reference) ? join(devices, `${reference}.yaml`) : reference;
}

async function list(flags: DevicesFlags): Promise<void> {
  const found = await listDevices(flags.devices);
  if (flags.json) {
    printJson('devices list', found);
    return;
  }
  const rows = found.map((each) => {
    if (!('profile' in each))
      return { name: each.path, kind: '✗', price: '', power: '', what: oneLine(each.fault) };
    const { kind, description, price, power, emulated } = each.profile;
    return {
      name: `${calledBy(each.path, each.profile.name)}${emulated ? ' (emulated)' : ''}`,
      kind: kindOf(each.profile).reachedBy?.(each.profile) ?? kind,
      price: price ? `${price.amount} ${price.currency}${price.date ? ` (${price.date})` : ''}` : '',
      power: power ? `${power.load} W` : '',
      what: description,
    };
  });
  const titles = {
    ...{ name: 'device', kind: 'reached by', price: 'price', power: 'power' },
    what: 'description',
  };
  console.log(listText(titles, rows));
}

/** The name that results and procurement have, and the file's, by which commands find the profile, where it is another one. */
function calledBy(path: string, name: string): string {
  const file = basename(path).replace(/\.ya?ml$/, '');
  return file === name ? name : `${name} (file ${file})`;
}

async function check(references: readonly string[], flags: DevicesFlags): Promise<void> {
  const results: DeviceCheck[] = [];
  for (const reference of references) results.push(await checkDevice(profileAt(reference, flags)));
  if (results.some(({ findings }) => findings.some(({ state }) => state === 'fail')))
    process.exitCode = exitCodes.device;
  if (flags.json) {
    printJson('devices check', results);
    return;
  }
  for (const { device, findings } of results) console.log(findingsText(device, findings));
}

async function describe(reference: string, flags: DevicesFlags): Promise<void> {
  const described = await describeDevice(profileAt(reference, flags));
  if (flags.json) printJson('devices describe', described);
  else console.log(inWords(described));
}

function inWords({ profile, environment }: DeviceDescription): string {
  const { name, emulated, notes } = profile;
  const { cpu, memoryBytes, os, node, versions, browser, gpu } = environment;
  const lines: [string, string][] = [
    ['processor', cpu.model],
    ['features', cpu.features.join(' ')],
    ['cores', coresText(cpu)],
    ['usable', restrictionText(cpu) ?? 'all'],
    ['governor', cpu.governor ?? 'unknown'],
    ['frequency', cpu.maxFrequency === null ? 'unknown' : `up to ${cpu.maxFrequency} MHz`],
    ['memory', mebibytes(memoryBytes)],
    ['system', [os.distribution, os.release, os.kernel, os.arch].filter(Boolean).join(' ')],
    ['node', node],
    ...(browser ? [['browser', browser.product] as [string, string]] : []),
    ...(gpu ? [['GPU', adapterText(gpu)] as [string, string]] : []),
    ...Object.entries(versions),
  ];
  const head = `${name}${emulated ? ' (emulated: its timings do not represent the hardware)' : ''}`;
  return [
    head,
    ...definitions(lines, screenWidth()),
    ...(notes ? wrapped(`  ${notes}`, screenWidth(), '  ') : []),
  ].join('\n');
}

async function clean(references: readonly string[], flags: DevicesFlags): Promise<void> {
  const results: CleanedDevice[] = [];
  for (const reference of references) {
    const cleaned = await cleanDevice(profileAt(reference, flags));
    results.push(cleaned);
    if (flags.json) continue;
    const { device, freedBytes, killedAgents } = cleaned;
    const agents = killedAgents > 0 ? `, ${killedAgents} agents ended` : '';
    console.log(
      `${device}: ${freedBytes > 0 ? `${mebibytes(freedBytes)} freed` : 'nothing to remove'}${agents}`,
    );
  }
  if (flags.json) printJson('devices clean', results);
}
