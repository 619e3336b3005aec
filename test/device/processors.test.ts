import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { allThreads, mayBeMoved, threadsOf, usableProcessors } from '../../src/device/processors.js';
import type { Environment } from '../../src/protocol/environment.js';
import { environmentHash } from '../../src/store/environment-hash.js';
import { useFolder } from '../support/folder.js';
import { environment } from '../support/rows.js';

const folder = useFolder();

/** Writes what a system tells of itself. */
function tell(files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(folder(name)), { recursive: true });
    writeFileSync(folder(name), text);
  }
}

/** Four processors on two cores: 0 and 2 on one, 1 and 3 on the other. */
const topology = Object.fromEntries(
  [0, 1, 2, 3].flatMap((cpu) => [
    [`sys/devices/system/cpu/cpu${cpu}/topology/core_id`, `${cpu % 2}\n`],
    [`sys/devices/system/cpu/cpu${cpu}/topology/physical_package_id`, '0\n'],
  ]),
);

const allowed = (list: string): Record<string, string> => ({
  'proc/self/status': `Name:\tnode\nCpus_allowed:\tf\nCpus_allowed_list:\t${list}\n`,
});

describe('usable processors', () => {
  it.each([
    ['0-3', 2],
    ['0,2', 1],
    ['0-1', 2],
    ['3', 1],
    ['0-4000000000', 2],
  ])('lie on the cores that the affinity %s allows', (list, cores) => {
    tell({ ...topology, ...allowed(list) });
    expect(usableProcessors(4, folder())).toEqual({ processors: 4, cores, quota: null });
  });

  it.each([
    [
      'of its own group',
      { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/b/cpu.max': '150000 100000\n' },
      1.5,
    ],
    [
      'of a group above, where that is less',
      {
        'proc/self/cgroup': '0::/a/b\n',
        'sys/fs/cgroup/a/cpu.max': '50000 100000\n',
        'sys/fs/cgroup/a/b/cpu.max': '300000 100000\n',
      },
      0.5,
    ],
    [
      'of a container, which sees its group as the root',
      { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': '200000 100000' },
      2,
    ],
    [
      'of the first version',
      {
        'proc/self/cgroup': '5:memory:/x\n4:cpu,cpuacct:/docker/1\n',
        'sys/fs/cgroup/cpu/docker/1/cpu.cfs_quota_us': '250000\n',
        'sys/fs/cgroup/cpu/docker/1/cpu.cfs_period_us': '100000\n',
      },
      2.5,
    ],
    ['that is none', { 'proc/self/cgroup': '0::/a\n', 'sys/fs/cgroup/a/cpu.max': 'max 100000\n' }, null],
  ])('have the quota %s', (_, files, quota) => {
    tell(files);
    expect(usableProcessors(8, folder()).quota).toBe(quota);
  });

  it('are as many as the system says where it tells nothing else', () => {
    expect(usableProcessors(3, folder())).toEqual({ processors: 3, cores: null, quota: null });
  });

  it('are one for a process that may use one', async () => {
    const module = join(packageRoot(), 'dist', 'device', 'local', 'environment.js');
    const script = `import { localEnvironment } from ${JSON.stringify(module)};
      import { allThreads } from ${JSON.stringify(join(packageRoot(), 'dist', 'device', 'processors.js'))};
      const { cpu } = await localEnvironment();
      console.log(JSON.stringify({ cpu, threads: allThreads(cpu, cpu.physicalCores) }));`;
    const words = ['-c', '0', process.execPath, '--input-type=module', '-e', script];
    const { stdout } = await promisify(execFile)('taskset', words);
    const { cpu, threads } = JSON.parse(stdout) as { cpu: Environment['cpu']; threads: number };
    expect(cpu.usable).toMatchObject({ processors: 1, cores: 1 });
    expect(threads).toBe(1);
    expect(cpu.logicalCores).toBe(Number(execFileSync('nproc', ['--all'], { encoding: 'utf8' })));
  });
});

describe('threads', () => {
  const cpu = { ...environment.cpu, physicalCores: 8, logicalCores: 16 };

  it.each([
    ['a core each where nothing restricts it', undefined, 8],
    ['those that the affinity leaves', { processors: 6, cores: 3, quota: null }, 3],
    ['those that the quota pays for', { processors: 16, cores: 8, quota: 2.7 }, 2],
    ['one at least', { processors: 16, cores: 8, quota: 0.3 }, 1],
  ])('are %s', (_, usable, threads) => {
    expect(allThreads({ ...cpu, ...(usable && { usable }) }, 8)).toBe(threads);
  });

  it('are one where nobody tells of any core', () => {
    expect(allThreads({ ...cpu, physicalCores: null, logicalCores: null }, null)).toBe(1);
  });

  it('are one on a virtual machine unless its profile asks for more', () => {
    const machine = { cpu, virtual: true, hypervisor: 'KVM' };
    expect(threadsOf(undefined, machine)).toBe(1);
    expect(threadsOf('all', machine)).toBe(8);
    expect(threadsOf(3, machine)).toBe(3);
    expect(threadsOf(undefined, { ...machine, virtual: false })).toBe(8);
  });

  it('are those of the host in a container, whose processors nobody moves', () => {
    expect(mayBeMoved({ virtual: true, hypervisor: 'Docker' })).toBe(false);
    expect(mayBeMoved({ virtual: true })).toBe(true);
    expect(threadsOf(undefined, { cpu, virtual: true, hypervisor: 'Docker' })).toBe(8);
  });

  it('are those of the cores that work together, where these are fewer', () => {
    expect(allThreads(cpu, 4)).toBe(4);
  });
});

describe('the hash of an environment', () => {
  const hashOf = (cpu: Partial<Environment['cpu']>, rest: Partial<Environment> = {}): string =>
    environmentHash({ ...environment, ...rest, cpu: { ...environment.cpu, ...cpu } }, 1, {}, {});
  const logicalCores = environment.cpu.logicalCores ?? NaN;

  const adapter = (device: string): NonNullable<Environment['gpu']> => ({
    ...{ vendor: 'a vendor', architecture: '', device, description: '', software: false },
    ...{ features: [], limits: {} },
  });

  it('is another one with fewer processors, on fewer cores, with a quota, in a virtual machine, for an emulator, a browser and a GPU', () => {
    const hashes = [
      hashOf({}),
      hashOf({ usable: { processors: logicalCores - 1, cores: null, quota: null } }),
      hashOf({ usable: { processors: logicalCores - 1, cores: 1, quota: null } }),
      hashOf({ usable: { processors: logicalCores - 1, cores: 2, quota: null } }),
      hashOf({ usable: { processors: logicalCores, cores: null, quota: 1.5 } }),
      hashOf({}, { virtual: !environment.virtual }),
      hashOf({}, { virtual: true, hypervisor: 'KVM' }),
      hashOf({}, { emulated: true }),
      hashOf({}, { browser: { product: 'Chrome/141.0', userAgent: '', flags: [] } }),
      hashOf({}, { browser: { product: 'Chrome/142.0', userAgent: '', flags: [] } }),
      hashOf({}, { gpu: adapter('a GPU') }),
      hashOf({}, { gpu: adapter('another GPU') }),
    ];
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  it('is that of versions which did not ask, where nothing is restricted', () => {
    expect(hashOf({ usable: { processors: logicalCores, cores: 1, quota: null } })).toBe(hashOf({}));
  });
});
