import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LinuxSensors } from '../../src/agent/linux-sensors.js';
import { conditionsSchema } from '../../src/protocol/conditions.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();

async function sensors(
  files: Readonly<Record<string, string>>,
  now = (): number => 0,
): Promise<LinuxSensors> {
  await write(files);
  return new LinuxSensors(now, `${folder()}/`, `/none:${folder('bin')}`);
}

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(folder(path)), { recursive: true });
    await writeFile(folder(path), text);
  }
}

describe('the sensors of a Linux machine', () => {
  it('tell nothing where there are none', async () => {
    expect((await sensors({})).look()).toEqual({});
  });

  it('tell the hottest zone, now', async () => {
    const zone = 'sys/class/thermal/thermal_zone';
    const seen = await sensors({
      [`${zone}0/temp`]: '41000\n',
      [`${zone}1/temp`]: '62500\n',
      [`${zone}2/temp`]: '\n',
    });
    expect(seen.look()).toEqual({ temperature: 62.5 });
    await write({ [`${zone}0/temp`]: '71000\n' });
    expect(seen.look().temperature).toBe(71);
  });

  it('tell what the firmware and the kernel hold back, and no fan', async () => {
    const seen = await sensors({
      'sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled': '50005\n',
      'sys/class/thermal/cooling_device0/type': 'pwm-fan\n',
      'sys/class/thermal/cooling_device0/cur_state': '3\n',
      'sys/class/thermal/cooling_device1/type': 'cpufreq-cpu0\n',
      'sys/class/thermal/cooling_device1/cur_state': '2\n',
    });
    const told = seen.look();
    expect(told.throttling).toEqual(['under-voltage', 'throttled', 'cpufreq-cpu0 at work']);
    expect(conditionsSchema.parse({ at: 1, ...told })).toBeTruthy();
  });

  it('tell what the firmware’s own program says, where the kernel has no file for it', async () => {
    const program = { 'bin/vcgencmd': `#!/bin/sh\necho "$1" >>${folder('asked')}\ncat ${folder('says')}\n` };
    await write({ ...program, says: 'throttled=0xe0008\n' });
    await chmod(folder('bin/vcgencmd'), 0o755);
    const seen = await sensors({});
    expect(seen.look()).toEqual({ throttling: ['soft temperature limit'] });
    await write({ says: 'throttled=0x0\n' });
    expect(seen.look()).toEqual({ throttling: [] });
    expect(await readFile(folder('asked'), 'utf8')).toBe('get_throttled\nget_throttled\n');
    const path = 'sys/devices/platform/soc/soc:firmware/get_throttled';
    expect((await sensors({ [path]: '1\n' })).look()).toEqual({ throttling: ['under-voltage'] });
    expect(await readFile(folder('asked'), 'utf8')).toBe('get_throttled\nget_throttled\n');
  });

  it('ask a program that may not ask the firmware once only', async () => {
    await write({ 'bin/vcgencmd': `#!/bin/sh\necho >>${folder('asked')}\nexit 255\n` });
    await chmod(folder('bin/vcgencmd'), 0o755);
    const seen = await sensors({});
    expect([seen.look(), seen.look()]).toEqual([{}, {}]);
    expect(await readFile(folder('asked'), 'utf8')).toBe('\n');
  });

  it('tell that nothing is held back', async () => {
    const seen = await sensors({
      'sys/class/thermal/cooling_device1/type': 'cpufreq-cpu0\n',
      'sys/class/thermal/cooling_device1/cur_state': '0\n',
    });
    expect(seen.look()).toEqual({ throttling: [] });
  });

  it('tell the power of a meter on the board in watts', async () => {
    expect((await sensors({ 'sys/class/hwmon/hwmon2/power1_input': '4750000\n' })).look()).toEqual({
      watts: 4.75,
    });
  });

  it('tell the mean power between two looks from a counter of energy, which may begin again', async () => {
    let at = 0;
    const counter = 'sys/class/powercap/intel-rapl:0/energy_uj';
    const part = 'sys/class/powercap/intel-rapl:0:0/energy_uj';
    const seen = await sensors({ [counter]: '1000000\n', [part]: '500000\n' }, () => at);
    at = 2000;
    await write({ [counter]: '31000000\n' });
    expect(seen.look()).toEqual({ watts: 15 });
    at = 4000;
    await write({ [counter]: '5\n' });
    expect(seen.look()).toEqual({});
  });
});
