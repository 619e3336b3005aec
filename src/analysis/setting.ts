import type { StoredDevice, StoredRun } from '../store/read.js';
import { sessionsOf } from './sessions.js';

/**
 * What must be the same for figures of two runs to be compared, in words, by name. A difference in any of it changes figures
 * without anybody having changed the model.
 */
export type Setting = ReadonlyMap<string, string>;

/** Something that two settings differ in; empty where one of them does not have it. */
export interface SettingDifference {
  readonly name: string;
  readonly before: string;
  readonly after: string;
}

/**
 * The setting of a device in a run: processor and what may be used of it, virtualisation, threads, system, libraries, session
 * options, and of a browser its version, flags and adapter. EdgeFlex's own version is not part of it, nor is what a system updates every other week (its kernel, patches of Node.js).
 *
 * @param device - of the run
 * @param run - the run
 */
export function deviceSetting(device: StoredDevice, run: StoredRun): Setting {
  const { cpu, os, node, versions, browser, gpu } = device.environment;
  const sessions = sessionsOf(device, run);
  const distinct = (texts: readonly string[]): string => [...new Set(texts)].sort().join('; ');
  const setting = new Map([
    ['processor', cpu.model],
    ['instruction sets', [...cpu.features].sort().join(' ')],
    ['frequency governor', cpu.governor ?? 'unknown'],
    ['virtual machine', virtualText(device.environment)],
    ['cores', `${cpu.physicalCores ?? 'unknown'} physical, ${cpu.logicalCores ?? 'unknown'} logical`],
    ['threads', String(device.row.threads)],
    ['system', `${os.platform} ${os.arch}`],
    ['Node.js', node.replace(/\..*/s, '')],
    ['execution provider', distinct(sessions.map(({ runtime }) => runtime.provider))],
    ['session options', distinct(sessions.map(({ session }) => optionsText(session)))],
  ]);
  const { usable, logicalCores } = cpu;
  if (usable !== undefined && (usable.processors < (logicalCores ?? 0) || usable.quota !== null))
    setting.set(
      'usable processors',
      `${usable.processors} of ${logicalCores ?? 'unknown'} on ${usable.cores ?? 'unknown'} cores, quota ${usable.quota ?? 'none'}`,
    );
  if (browser !== undefined) {
    setting.set('browser', browser.product);
    setting.set('browser flags', [...browser.flags].sort().join(' '));
  }
  if (gpu !== undefined)
    setting.set('adapter', [gpu.vendor, gpu.architecture, gpu.device, gpu.description].join(' ').trim());
  for (const [name, version] of Object.entries(versions)) if (name !== 'edgeflex') setting.set(name, version);
  return setting;
}

/**
 * The setting of a device in a run, and what the run is scored on.
 *
 * @param device - of the run
 * @param run - the run
 */
export function runSetting(device: StoredDevice, run: StoredRun): Setting {
  const { name, hash } = run.data;
  return new Map([...deviceSetting(device, run), ['dataset', `${name}, SHA-256 ${hash}`]]);
}

/**
 * What two settings differ in.
 *
 * @param before - of the earlier run
 * @param after - of the later one
 */
export function settingDifferences(before: Setting, after: Setting): SettingDifference[] {
  return [...new Set([...before.keys(), ...after.keys()])]
    .map((name) => ({ name, before: before.get(name) ?? '', after: after.get(name) ?? '' }))
    .filter((each) => each.before !== each.after);
}

/** What stands between the runtime and the processor. */
function virtualText({ virtual, hypervisor, emulated }: StoredDevice['environment']): string {
  if (emulated) return 'emulated';
  return virtual ? (hypervisor ?? 'yes') : 'no';
}

function optionsText(session: Readonly<Record<string, unknown>>): string {
  return Object.entries(session)
    .map(([name, value]) => `${name} ${String(value)}`)
    .sort()
    .join(', ');
}
