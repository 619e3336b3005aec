import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import system from 'systeminformation';
import { MOST_OTHER_CORES } from '../../protocol/disturbance.js';
import type { Environment } from '../../protocol/environment.js';
import type { Finding } from '../kind.js';
import { allThreads, mayBeMoved, threadsOf } from '../processors.js';
import { localEnvironment } from './environment.js';
import type { LocalProfile } from './kind.js';

/** The runtime and a small model. */
const LEAST_AVAILABLE_BYTES = 512 * 1024 ** 2;

/** What multiplies 8-bit integers four at a time, on x64 and on ARM. */
const DOT_PRODUCTS = ['avx512_vnni', 'avx_vnni', 'asimddp'];

/**
 * What this machine offers as a device: a warning may spoil its figures.
 *
 * @param profile - how it is to be used
 */
export async function checkLocal(profile: LocalProfile): Promise<Finding[]> {
  const [environment, memory, load] = await Promise.all([
    localEnvironment(),
    system.mem(),
    system.currentLoad(),
  ]);
  return [
    processor(environment),
    threads(environment, profile),
    memoryFinding(memory.available, memory.total),
    governor(environment.cpu.governor),
    otherLoad((load.currentLoad / 100) * load.cpus.length, load.cpus.length),
    powerFinding(),
  ];
}

function processor({ cpu }: Environment): Finding {
  const what = 'processor';
  const has = DOT_PRODUCTS.filter((feature) => cpu.features.includes(feature));
  if (has.length > 0) return { what, state: 'ok', found: `${cpu.model} (${has.join(', ')})` };
  return {
    ...{ what, state: 'warn', found: `${cpu.model}, without VNNI or dot products` },
    fix: 'INT8 gains less here than on processors with them; docs/avx2.md says how much.',
  };
}

function threads(environment: Environment, profile: LocalProfile): Finding {
  const what = 'threads';
  const count = threadsOf(profile.threads, environment);
  const all = allThreads(environment.cpu, environment.cpu.physicalCores);
  const found = `${count} of ${all}`;
  if (!mayBeMoved(environment) || count === 1)
    return { what, state: 'ok', found: count < all ? `${found}: a hypervisor may move the cores` : found };
  return {
    ...{ what, state: 'warn', found },
    fix: 'A hypervisor may move the cores while they are measured, which changes latencies by up to half: leave out "threads" to use one thread.',
  };
}

function memoryFinding(available: number, total: number): Finding {
  const what = 'memory';
  const found = `${mebibytes(available)} of ${mebibytes(total)} available`;
  if (available >= LEAST_AVAILABLE_BYTES) return { what, state: 'ok', found };
  return {
    what,
    state: 'warn',
    found,
    fix: 'Agents may be killed when memory runs out: stop other programs.',
  };
}

function governor(found: string | null): Finding {
  const what = 'governor';
  if (found === null) return { what, state: 'ok', found: 'not reported by this system' };
  if (found === 'performance') return { what, state: 'ok', found };
  return {
    ...{ what, state: 'warn', found },
    fix: 'The frequency changes while it measures: echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor',
  };
}

function otherLoad(busy: number, cores: number): Finding {
  const what = 'other load';
  const found = `${busy.toFixed(1)} of ${cores} cores busy`;
  if (busy <= Math.max(MOST_OTHER_CORES, 0.3)) return { what, state: 'ok', found };
  return {
    ...{ what, state: 'warn', found },
    fix: 'Other processes disturb latencies; disturbed rounds are measured again or left out.',
  };
}

/**
 * Whether the processor's own counters of energy can be read.
 *
 * @param root - of the file system whose `/sys` is looked at
 */
export function powerFinding(root = '/'): Finding {
  const what = 'power counters';
  const folder = join(root, 'sys', 'class', 'powercap');
  const zones = existsSync(folder) ? readdirSync(folder).filter((name) => /^[a-z-]+:\d+$/.test(name)) : [];
  const counters = zones.map((zone) => join(folder, zone, 'energy_uj')).filter((path) => existsSync(path));
  if (counters.length === 0)
    return {
      ...{ what, state: 'warn', found: 'none (virtual machines and many boards have none)' },
      fix: 'Set "power" in the device profile, in watts, to get energy figures.',
    };
  const closed = counters.filter((path) => !isReadable(path));
  if (closed.length === 0) return { what, state: 'ok', found: `${counters.length} readable` };
  return {
    ...{ what, state: 'warn', found: `${closed.length} of ${counters.length} not readable by this user` },
    fix: `sudo chmod a+r ${closed.join(' ')}`,
  };
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 1024 ** 2)} MiB`;
}
