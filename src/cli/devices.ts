import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Command } from 'commander';
import { DeviceError, foundBy, InputError, messageOf } from '../base/errors.js';
import { openDevice } from '../device/open.js';
import type { DeviceProfile, Finding } from '../device/kind.js';
import { readDeviceProfile } from '../device/profile.js';
import { deviceKinds, kindOf } from '../device/registry.js';
import type { Environment, Gpu } from '../protocol/environment.js';
import { mebibytes, oneLine } from '../text/format.js';
import { terminalTable } from '../text/terminal.js';
import { kindsCommand } from './device-kinds.js';
import { exitCodes } from './failure.js';
import { coresText, restrictionText } from '../text/environment.js';

interface DevicesFlags {
  readonly devices: string;
  readonly json?: true;
}

/** `edgeflex devices`: what there is to measure on, and how it is. */
export function devicesCommand(): Command {
  return new Command('devices')
    .description('list, check, describe and clean the devices that profiles name')
    .addCommand(withFlags(new Command('list').description('list the profiles in a folder')).action(list))
    .addCommand(
      withFlags(
        new Command('check')
          .description('look at everything a run on a device depends on, and say what to mend')
          .argument('<profile...>', 'a file, or the name of one in the folder of profiles'),
      ).action(check),
    )
    .addCommand(
      withFlags(
        new Command('describe')
          .description('say what a device is, as a run would record it')
          .argument('<profile>', 'a file, or the name of one in the folder of profiles'),
      ).action(describe),
    )
    .addCommand(
      withFlags(
        new Command('clean')
          .description('remove everything that runs left on a board')
          .argument('<profile...>', 'a file, or the name of one in the folder of profiles'),
      ).action(clean),
    )
    .addCommand(kindsCommand());
}

function withFlags(command: Command): Command {
  return command
    .option('--devices <directory>', 'the folder of profiles', 'devices')
    .option('--json', 'print the result as JSON');
}

/** A profile by its file, or by its name in the folder of profiles. */
function profileAt(reference: string, { devices }: DevicesFlags): Promise<DeviceProfile> {
  const isFile = /[/\\]|\.ya?ml$/.test(reference);
  return readDeviceProfile(isFile ? reference : join(devices, `${reference}.yaml`));
}

async function list(flags: DevicesFlags): Promise<void> {
  const names = await readdir(flags.devices).catch((error: unknown) => {
    throw new InputError({
      source: flags.devices,
      found: foundBy(error),
      expected: 'a folder of device profiles',
    });
  });
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  if (files.length === 0)
    throw new InputError({
      source: flags.devices,
      found: 'no device profile',
      expected: 'a folder of device profiles (*.yaml)',
    });
  const found = await Promise.all(
    files.map(async (file) => {
      const path = join(flags.devices, file);
      return readDeviceProfile(path).then(
        (profile) => ({ path, profile }),
        (error: unknown) => ({ path, fault: messageOf(error) }),
      );
    }),
  );
  if (flags.json) {
    console.log(JSON.stringify(found, null, 2));
    return;
  }
  const rows = found.map((each): Record<string, string> => {
    if (!('profile' in each)) return { name: each.path, kind: '✗', what: oneLine(each.fault) };
    const { name, kind, description, price, power, emulated } = each.profile;
    return {
      name: `${name}${emulated ? ' (emulated)' : ''}`,
      kind: kindOf(each.profile).reachedBy?.(each.profile) ?? kind,
      price: price ? `${price.amount} ${price.currency}` : '',
      power: power ? `${power.load} W` : '',
      what: description,
    };
  });
  print(
    [
      ['name', 'device'],
      ['kind', 'reached by'],
      ['price', 'price'],
      ['power', 'power'],
      ['what', 'description'],
    ],
    rows,
  );
}

async function check(references: readonly string[], flags: DevicesFlags): Promise<void> {
  const results: { readonly device: string; readonly findings: readonly Finding[] }[] = [];
  for (const reference of references) {
    const profile = await profileAt(reference, flags);
    const findings = (await kindOf(profile).check?.(profile)) ?? (await opens(profile));
    results.push({ device: profile.name, findings });
  }
  if (results.some(({ findings }) => findings.some(({ state }) => state === 'fail')))
    process.exitCode = exitCodes.device;
  if (flags.json) {
    console.log(JSON.stringify(results, null, 2));
    return;
  }
  const signs = { ok: '✓', warn: '!', fail: '✗' };
  for (const { device, findings } of results) {
    console.log(`${device}:`);
    for (const { what, state, found, mend } of findings) {
      console.log(`  ${signs[state]} ${what.padEnd(18)} ${oneLine(found)}`);
      for (const line of mend?.split('\n') ?? []) console.log(`    ${''.padEnd(18)} ${line}`);
    }
  }
}

/** Where a kind of device has nothing to look at but whether it opens. */
async function opens(profile: DeviceProfile): Promise<Finding[]> {
  try {
    const device = await openDevice(profile);
    await device.close();
    if (device.fault !== undefined) return [{ what: 'opens', state: 'fail', found: device.fault }];
    const { browser, gpu, cpu } = device.environment;
    const what = [browser?.product, gpu && adapterInWords(gpu)].filter((each) => each !== undefined);
    return [{ what: 'opens', state: 'ok', found: what.join(', ') || cpu.model }];
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return [{ what: 'opens', state: 'fail', found: error.message }];
  }
}

async function describe(reference: string, flags: DevicesFlags): Promise<void> {
  const profile = await profileAt(reference, flags);
  const environment = (await kindOf(profile).describe?.(profile)) ?? (await environmentOf(profile));
  if (flags.json) console.log(JSON.stringify({ profile, environment }, null, 2));
  else console.log(inWords(profile, environment));
}

async function environmentOf(profile: DeviceProfile): Promise<Environment> {
  const device = await openDevice(profile);
  await device.close();
  return device.environment;
}

function inWords(
  { name, emulated, notes }: DeviceProfile,
  { cpu, memoryBytes, os, node, versions, browser, gpu }: Environment,
): string {
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
    ...(gpu ? [['GPU', adapterInWords(gpu)] as [string, string]] : []),
    ...Object.entries(versions),
  ];
  const head = `${name}${emulated ? ' (emulated: its timings are not those of such a board)' : ''}`;
  return [
    head,
    ...lines.map(([key, value]) => `  ${key.padEnd(18)} ${value}`),
    ...(notes ? [`  ${notes}`] : []),
  ].join('\n');
}

/** The kinds of devices that runs leave something on. */
function cleanable(): string {
  const kinds = deviceKinds().filter((kind) => kind.clean !== undefined);
  return kinds.map(({ kind }) => kind).join(' or ');
}

async function clean(references: readonly string[], flags: DevicesFlags): Promise<void> {
  const results: object[] = [];
  for (const reference of references) {
    const profile = await profileAt(reference, flags);
    const kind = kindOf(profile);
    if (kind.clean === undefined)
      throw new InputError({
        source: reference,
        place: 'kind',
        found: profile.kind,
        expected: `${cleanable()}: runs leave nothing on other devices`,
      });
    const cleaned = await kind.clean(profile);
    results.push({ device: profile.name, ...cleaned });
    if (flags.json) continue;
    const { freedBytes, killedAgents } = cleaned;
    const agents = killedAgents > 0 ? `, ${killedAgents} agents ended` : '';
    console.log(
      `${profile.name}: ${freedBytes > 0 ? `${mebibytes(freedBytes)} freed` : 'nothing was there'}${agents}`,
    );
  }
  if (flags.json) console.log(JSON.stringify(results, null, 2));
}

function print(
  columns: readonly (readonly [string, string])[],
  rows: readonly Record<string, string>[],
): void {
  const table = {
    columns: columns.map(([key, title]) => ({ key, title, align: 'left' as const })),
    rows,
    notes: [],
  };
  console.log(terminalTable(table, process.stdout.isTTY, process.stdout.columns));
}

function adapterInWords({ vendor, architecture, description, software }: Gpu): string {
  const names = [vendor, architecture, description].filter((name) => name !== '').join(', ');
  return software ? `${names} (software: the processor plays the GPU)` : names;
}
