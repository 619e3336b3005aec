import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseGroup, parseStatus, processMemory } from '../../src/agent/process-memory.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const MIB = 2 ** 20;

/** As a kernel writes it (proc(5)). */
const STATUS = `Name:\tnode
VmPeak:\t  911492 kB
VmHWM:\t   81920 kB
VmRSS:\t   71680 kB
RssAnon:\t   30720 kB
RssFile:\t   40960 kB
`;

/** Writes a file of the system that is looked at. */
async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(folder(path)), { recursive: true });
  await writeFile(folder(path), text);
}

const here = () => processMemory('linux', `${folder()}/`);

describe('what a process is told of its memory', () => {
  it('are the lines of its status in bytes, without those that are not there', () => {
    expect(parseStatus(STATUS)).toEqual({
      ...{ resident: 70 * MIB, peakResident: 80 * MIB },
      ...{ anonymous: 30 * MIB, fileBacked: 40 * MIB },
    });
    expect(parseStatus('Name:\tnode\nVmRSS:\t1024 kB\n')).toEqual({ resident: MIB });
    expect(parseStatus('')).toEqual({});
  });

  it('is the control group of the second version, beside groups of the first', () => {
    expect(parseGroup('0::/user.slice/a b.scope\n')).toBe('/user.slice/a b.scope');
    expect(parseGroup('4:memory:/old\n1:cpu:/\n0::/\n')).toBe('/');
    expect(parseGroup('4:memory:/old\n')).toBeUndefined();
  });
});

describe('the means of peaks', () => {
  it('is VmHWM of each phase where it can be reset', async () => {
    await put('proc/self/status', STATUS);
    await put('proc/self/clear_refs', '');
    await put('proc/self/cgroup', '0::/\n');
    await put('sys/fs/cgroup/memory.peak', '1\n');
    await put('sys/fs/cgroup/memory.current', '1\n');
    const memory = here();
    expect(memory.means).toBe('vmhwm-of-phase');
    await writeFile(folder('proc/self/clear_refs'), '');
    memory.reset();
    expect(await readFile(folder('proc/self/clear_refs'), 'utf8')).toBe('5');
    expect(memory.look()).toEqual(parseStatus(STATUS));
  });

  it('is the peak of the control group where that can be reset and VmHWM cannot', async () => {
    await put('proc/self/status', STATUS);
    await put('proc/self/cgroup', '0::/a/b\n');
    await put('sys/fs/cgroup/a/b/memory.peak', '900000000\n');
    await put('sys/fs/cgroup/a/b/memory.current', '500000000\n');
    const memory = here();
    expect(memory.means).toBe('cgroup-peak-of-phase');
    // Resetting goes through the open file, as the kernel wants it: what is read there begins anew.
    expect(memory.look()).toMatchObject({ groupCurrent: 500000000, groupPeak: 500000000 });
    await put('sys/fs/cgroup/a/b/memory.peak', '600000000\n');
    expect(memory.look()).toMatchObject({ ...parseStatus(STATUS), groupPeak: 600000000 });
    memory.reset();
    expect(memory.look().groupPeak).toBe(500000000);
  });

  it('is VmHWM of the whole process where neither can be reset', async () => {
    await put('proc/self/status', STATUS);
    await put('proc/self/cgroup', '0::/\n');
    const memory = here();
    expect(memory.means).toBe('vmhwm-of-process');
    memory.reset();
    expect(memory.look()).toEqual(parseStatus(STATUS));
  });

  it('is none where a system tells no peak', async () => {
    await put('proc/self/status', STATUS.replace(/^VmHWM.*\n/m, ''));
    expect(here().means).toBeUndefined();
  });

  it.each([
    ['darwin', 'rusage-of-process'],
    ['win32', 'working-set-of-process'],
  ] as const)('on %s is named %s', (platform, means) => {
    const memory = processMemory(platform);
    expect(memory.means).toBe(means);
    const { resident = 0, peakResident = 0 } = memory.look();
    expect(resident).toBeGreaterThan(MIB);
    expect(peakResident).toBeGreaterThan(0.9 * resident);
  });

  it.runIf(process.platform === 'linux')('on this machine is that of a process, and forgets', () => {
    const memory = processMemory();
    expect(memory.means).toMatch(/^vmhwm|^cgroup/);
    if (memory.means !== 'vmhwm-of-phase') return;
    const before = memory.look().peakResident!;
    Buffer.alloc(64 * MIB, 1);
    expect(memory.look().peakResident! - before).toBeGreaterThan(48 * MIB);
  });
});
