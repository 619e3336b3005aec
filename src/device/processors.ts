import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../protocol/environment.js';

/** What a process may use of the processors of its machine. */
export type UsableProcessors = NonNullable<Environment['cpu']['usable']>;

/**
 * What this process may use: by its affinity (taskset, cpusets of containers and batch systems) and by the quotas of its control
 * groups. The machine may have more.
 *
 * @param processors - logical processors that the affinity allows
 * @param root - of the file system whose `/proc` and `/sys` are read
 */
export function usableProcessors(processors = availableParallelism(), root = '/'): UsableProcessors {
  const read = (...path: string[]): string | undefined => {
    try {
      return readFileSync(join(root, ...path), 'utf8');
    } catch {
      return undefined;
    }
  };
  return { processors, cores: coresAmong(read), quota: quotaOf(read) };
}

type Read = (...path: string[]) => string | undefined;

/** How many cores the allowed logical processors lie on; null where the system does not tell. */
function coresAmong(read: Read): number | null {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('proc', 'self', 'status') ?? '')?.[1];
  if (list === undefined) return null;
  const cores = new Set<string>();
  for (const cpu of processorsIn(list)) {
    const topology = join('sys', 'devices', 'system', 'cpu', `cpu${cpu}`, 'topology');
    const [core, socket] = [read(topology, 'core_id'), read(topology, 'physical_package_id')];
    // The list may name processors that the machine does not have.
    if (core !== undefined) cores.add(`${socket?.trim() ?? ''} ${core.trim()}`);
  }
  return cores.size > 0 ? cores.size : null;
}

/** More processors than any machine that Linux runs on has. */
const MOST_PROCESSORS = 8192;

/** The numbers in a list such as `0-3,8`. */
function processorsIn(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [from = NaN, to = from] = part.split('-').map(Number);
    const length = Math.min(MOST_PROCESSORS, to - from + 1);
    return length > 0 ? Array.from({ length }, (_, index) => from + index) : [];
  });
}

/** The least quota of the process's control group and those above it, in processors; null without one. */
function quotaOf(read: Read): number | null {
  const groups = read('proc', 'self', 'cgroup') ?? '';
  const unified = /^0::(\/.*)$/m.exec(groups)?.[1];
  const legacy = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(groups)?.[1];
  const quotas = [
    ...groupsAbove(unified).map((group) => quotaIn(read('sys', 'fs', 'cgroup', group, 'cpu.max'))),
    ...groupsAbove(legacy).map((group) => {
      const folder = join('sys', 'fs', 'cgroup', 'cpu', group);
      return quotaIn(`${read(folder, 'cpu.cfs_quota_us') ?? ''} ${read(folder, 'cpu.cfs_period_us') ?? ''}`);
    }),
  ].filter((quota) => quota !== undefined);
  return quotas.length > 0 ? Math.min(...quotas) : null;
}

/** A control group and all above it; inside a container its own path may not be there, but the root is. */
function groupsAbove(path: string | undefined): string[] {
  if (path === undefined) return [];
  const names = path.split('/').filter((name) => name !== '');
  return Array.from({ length: names.length + 1 }, (_, count) => names.slice(0, count).join('/'));
}

/**
 * A quota in processors, from the kernel's two numbers: microseconds in each period, and the period.
 *
 * @param text - `50000 100000`, or `max 100000` without a quota
 * @returns undefined without one
 */
export function quotaIn(text: string | undefined): number | undefined {
  const [, quota, period] = /^\s*(\d+)\s+(\d+)\s*$/.exec(text ?? '') ?? [];
  const share = Number(quota) / Number(period);
  return share > 0 && Number.isFinite(share) ? share : undefined;
}

/** Containers share the processors of their host, which no hypervisor moves. */
const CONTAINERS = new Set(['docker', 'container', 'podman', 'lxc', 'containerd']);

/**
 * Whether a hypervisor decides where the processors of a device lie, and may move them.
 *
 * @param environment - of the device
 */
export function mayBeMoved({
  virtual,
  hypervisor = '',
}: Pick<Environment, 'virtual' | 'hypervisor'>): boolean {
  return virtual && !CONTAINERS.has(hypervisor.toLowerCase());
}

/**
 * How many threads the runtime gets.
 *
 * @param asked - by the profile
 * @param environment - of the device
 * @param cores - that work together; left out, all
 */
export function threadsOf(
  asked: number | 'all' | undefined,
  environment: Pick<Environment, 'cpu' | 'virtual' | 'hypervisor'>,
  cores = environment.cpu.physicalCores,
): number {
  if (typeof asked === 'number') return asked;
  return asked === undefined && mayBeMoved(environment) ? 1 : allThreads(environment.cpu, cores);
}

/**
 * How many threads the runtime gets with `all`: one for each core that may be used, and no more than a quota pays for.
 *
 * @param cpu - of the device
 * @param cores - that work together
 */
export function allThreads({ usable }: Environment['cpu'], cores: number | null): number {
  const { processors = Infinity, cores: allowed = null, quota = null } = usable ?? {};
  const most = Math.min(cores ?? Infinity, allowed ?? Infinity, processors, Math.floor(quota ?? Infinity));
  // Where nobody tells of anything, one is always there.
  return Number.isFinite(most) ? Math.max(1, most) : 1;
}
