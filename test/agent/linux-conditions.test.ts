import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { LinuxConditions } from '../../src/agent/linux-conditions.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

/** Writes a file of the machine that is looked at; the order of the fields is that of proc(5). */
async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(folder(path)), { recursive: true });
  await writeFile(folder(path), text);
}

/** Processor times in hundredths of a second. */
const stat = (user: number, system: number, steal: number): string =>
  `cpu  ${user} 0 ${system} 90000 500 2 3 ${steal} ${user} 0\ncpu0 9 9 9 9 9 9 9 9 9 9\nintr 1\n`;

/** The machine in the test's folder, and a clock that the test sets. */
function machine(): { readonly conditions: LinuxConditions; readonly clock: { now: number } } {
  const clock = { now: 1000 };
  const conditions = new LinuxConditions(() => clock.now, `${folder()}/`);
  onTestFinished(() => {
    conditions.close();
  });
  return { conditions, clock };
}

const policy = (index: number): string => `sys/devices/system/cpu/cpufreq/policy${index}`;

describe('what a Linux machine is like', () => {
  it('has the load of others as shares of one core, less what the agent took itself', async () => {
    await put('proc/stat', stat(1000, 200, 50));
    const { conditions, clock } = machine();
    const before = process.cpuUsage();
    clock.now += 2000;
    // 400 ticks of 10 ms more in 2 s: two cores; 30 ticks stolen.
    await put('proc/stat', stat(1300, 300, 80));
    const seen = conditions.look();
    const own = process.cpuUsage(before);
    expect(seen.at).toBe(3000);
    expect(seen.stolen).toBeCloseTo(0.15, 9);
    expect(seen.otherLoad!).toBeLessThanOrEqual(2);
    // What this process took between the two looks, at most.
    expect(seen.otherLoad!).toBeGreaterThan(2 - (own.user + own.system) / 1000 / 2000 - 0.05);
  });

  it('is of the time since the last look, and of none when that is too short for the kernel’s clock', async () => {
    await put('proc/stat', stat(1000, 0, 0));
    const { conditions, clock } = machine();
    clock.now += 1000;
    await put('proc/stat', stat(1500, 0, 0));
    expect(conditions.look().otherLoad).toBeGreaterThan(4);
    clock.now += 50;
    expect(conditions.look()).toEqual({ at: 2050 });
    clock.now += 950;
    // Nothing was lost: the span is the second since the look that had a load.
    await put('proc/stat', stat(1500, 0, 100));
    expect(conditions.look()).toEqual({ at: 3000, otherLoad: 0, stolen: 1 });
  });

  it('has the frequencies of the slowest and the fastest cluster, and the governor, as they are now', async () => {
    await put(`${policy(0)}/scaling_cur_freq`, '600000\n');
    await put(`${policy(4)}/scaling_cur_freq`, '2400000\n');
    await put(`${policy(0)}/scaling_governor`, 'ondemand\n');
    await put('proc/cpuinfo', 'cpu MHz\t\t: 3000.000\n');
    const { conditions } = machine();
    expect(conditions.look()).toEqual({
      ...{ at: 1000, slowestCore: 600, fastestCore: 2400, governor: 'ondemand' },
    });
    await put(`${policy(4)}/scaling_cur_freq`, '1500000\n');
    await put(`${policy(0)}/scaling_governor`, 'performance\n');
    expect(conditions.look()).toMatchObject({ fastestCore: 1500, governor: 'performance' });
  });

  it('has the frequencies of the processor’s description where there is no driver', async () => {
    const core = (megahertz: string): string =>
      `processor : 0\ncpu MHz\t\t: ${megahertz}\ncache size : 1 KB\n\n`;
    await put('proc/cpuinfo', core('2596.138') + core('1200.5'));
    expect(machine().conditions.look()).toEqual({ at: 1000, slowestCore: 1200.5, fastestCore: 2596.138 });
  });

  it('is left out where nothing tells it, or what is told is no sense', async () => {
    expect(machine().conditions.look()).toEqual({ at: 1000 });
    await put('proc/stat', 'cpu? many\n');
    await put('proc/cpuinfo', 'cpu MHz : unknown\n');
    await put(`${policy(0)}/scaling_cur_freq`, '<unknown>\n');
    await put(`${policy(0)}/scaling_governor`, '\n');
    const { conditions, clock } = machine();
    clock.now += 1000;
    await rm(folder('proc/stat'));
    expect(conditions.look()).toEqual({ at: 2000 });
  });
});
