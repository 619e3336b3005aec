import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { browserFlags } from '../../src/device/browser/launch.js';
import { groupCpuTime } from '../../src/device/browser/load.js';
import { useFolder } from '../support/folder.js';
import { browserProfile } from './support/browsers.js';

const folder = useFolder();

/** `/proc/<pid>/stat` (proc(5)): number, name, state, parent, group, …; user, system, and the same of children are fields 14 to 17. */
async function stated(pid: number, name: string, group: number, times: readonly number[]): Promise<void> {
  await mkdir(folder('proc', String(pid)), { recursive: true });
  const stat = `${pid} (${name}) S 1 ${group} 7 0 -1 4194560 1 2 3 4 ${times.join(' ')} 20 0 9 0 1 2 3\n`;
  await writeFile(folder('proc', String(pid), 'stat'), stat);
}

describe('processor time of a browser', () => {
  it('is that of the processes of its group, and of those that they waited for', async () => {
    await stated(100, 'chromium', 100, [10, 20, 3, 4]);
    await stated(101, 'a) R 9 (b', 100, [1, 2, 0, 0]);
    await stated(102, 'another', 99, [1000, 1000, 0, 0]);
    await mkdir(folder('proc', '103'));
    await mkdir(folder('proc', 'self'));
    expect(groupCpuTime(100, `${folder()}/`)).toBe(400);
    expect(groupCpuTime(5, `${folder()}/`)).toBe(0);
  });

  it.runIf(process.platform === 'linux')('grows while one of them works', async () => {
    const busy = spawn(process.execPath, ['-e', 'for (;;);'], { detached: true, stdio: 'ignore' });
    onTestFinished(() => void busy.kill('SIGKILL'));
    const before = groupCpuTime(busy.pid!);
    while (groupCpuTime(busy.pid!) < before + 100) await sleep(50);
    expect(groupCpuTime(busy.pid!)).toBeGreaterThanOrEqual(before + 100);
  });
});

describe('the flags of a browser', () => {
  const forV8 = (flags: readonly string[]): string[] =>
    flags.filter((flag) => flag.startsWith('--js-flags='));

  it('turn the optimizing compiler off for memory alone', () => {
    const profile = browserProfile();
    expect(forV8(browserFlags(profile))).toEqual(['--js-flags=--expose-gc']);
    expect(forV8(browserFlags(profile, { withoutOptimizer: true }))).toEqual([
      '--js-flags=--expose-gc --liftoff-only',
    ]);
  });

  it('have one of V8’s own with those of the profile: a browser hears the last alone', () => {
    const profile = browserProfile({ flags: ['--mute-audio', '--js-flags=--max-heap-size=900'] });
    const flags = browserFlags(profile, { withoutOptimizer: true });
    expect(forV8(flags)).toEqual(['--js-flags=--expose-gc --liftoff-only --max-heap-size=900']);
    expect(flags).toContain('--mute-audio');
  });
});
