import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { checkBoard, describeBoard } from '../../../src/device/ssh/check.js';
import { cleanBoard } from '../../../src/device/ssh/clean.js';
import { openSsh } from '../../../src/device/ssh/device.js';
import { LEAST_GLIBC } from '../../../src/device/ssh/findings.js';
import { environmentSchema } from '../../../src/protocol/environment.js';
import { describeOnBoard, TestBoard, type BoardOptions } from '../../support/board/board.js';

const options = { timeout: 120_000 };

const sh = (text: string): string => `#!/bin/sh\n${text}\n`;

/** Two boards on which no agent can run, for what their own programs say and for their profile; all reasons are in `findings.test.ts`. */
const unfit: Readonly<Record<string, readonly [BoardOptions, RegExp]>> = {
  'has another C library': [{ files: { '/usr/bin/getconf': sh('echo musl') } }, /C library: musl\. /],
  'has no Node where the profile says': [
    { profile: 'node: /opt/node\n' },
    /Node: nothing at \/opt\/node\. Agents need Node/,
  ],
};

describeOnBoard('a board that', options, () => {
  it.each(Object.entries(unfit))(
    '%s is refused before anything is brought, with the reason',
    async (_, [how, reason]) => {
      const board = await TestBoard.start('unfit', how);
      try {
        await expect(openSsh(await board.profile())).rejects.toThrow(reason);
        const findings = await checkBoard(await board.profile());
        expect(findings.filter(({ state }) => state === 'fail')).toHaveLength(1);
        expect(existsSync(board.home('.cache'))).toBe(false);
      } finally {
        await board.remove();
      }
    },
  );

  it('has no room is refused with that reason, and may be cleaned', async () => {
    const board = await TestBoard.start('small', { diskSize: '8m' });
    try {
      await expect(openSsh(await board.profile())).rejects.toThrow(
        /the board's disk is full: .*No space left on device\n.*edgeflex devices clean/,
      );
      const { freedBytes } = await cleanBoard(await board.profile());
      expect(freedBytes).toBeGreaterThan(1024 ** 2);
      expect((await cleanBoard(await board.profile())).freedBytes).toBe(0);
    } finally {
      await board.remove();
    }
  });
});

describeOnBoard('a board that is looked at', options, () => {
  let board: TestBoard;
  const cpu = 'devices/system/cpu';
  const started = TestBoard.start('looked-at', {
    sys: {
      [`${cpu}/possible`]: '0-3\n',
      [`${cpu}/present`]: '0-3\n',
      [`${cpu}/cpu0/cpufreq/scaling_cur_freq`]: '1500000\n',
      [`${cpu}/cpu0/cpufreq/cpuinfo_max_freq`]: '2400000\n',
      [`${cpu}/cpu0/cpufreq/scaling_governor`]: 'ondemand\n',
      'class/thermal/thermal_zone0/type': 'cpu-thermal\n',
      'class/thermal/thermal_zone0/temp': '81250\n',
    },
    bin: { vcgencmd: sh('echo throttled=0x50005') },
  });
  afterAll(async () => (await started).remove());

  it('tells what would spoil its figures, and what to fix', async () => {
    board = await started;
    const found = new Map((await checkBoard(await board.profile())).map((each) => [each.what, each]));
    expect(found.get('reachable')).toMatchObject({
      state: 'ok',
      found: expect.stringMatching(/^ssh 127/) as string,
    });
    expect(found.get('host key')!.state).toBe('ok');
    expect(found.get('architecture')).toEqual({ what: 'architecture', state: 'ok', found: 'aarch64' });
    expect(found.get('C library')!.found).toMatch(/^glibc 2\./);
    expect(found.get('Node')).toMatchObject({ state: 'ok', found: '20.20.2 (/usr/local/bin/node)' });
    expect(found.get('processor features')!.found).toContain('dotprod');
    expect(found.get('cores')!.found).toContain('Cortex-A76 at up to 2400 MHz');
    expect(found.get('governor')).toMatchObject({ state: 'warn', found: 'ondemand' });
    expect(found.get('temperature')).toMatchObject({ state: 'warn', found: '81.3 °C' });
    expect(found.get('throttling')).toMatchObject({ state: 'warn', found: 'under-voltage, throttled now' });
    expect(found.get('throttling')!.fix).toContain('power supply');
  });

  it('is described as a run would record it, as an emulator', async () => {
    board = await started;
    const environment = await describeBoard(await board.profile());
    expect(environmentSchema.parse(environment)).toEqual(environment);
    expect(environment.cpu.model).toContain('Cortex-A76');
    expect(environment.cpu.model).toContain('(emulated)');
    expect(environment.cpu.features).toContain('asimddp');
    expect(environment.os.arch).toBe('aarch64');
  });

  it('is not cleaned where the folder is not one of ours', async () => {
    board = await started;
    await mkdir(board.home('.cache', 'edgeflex'), { recursive: true });
    await writeFile(board.home('.cache', 'edgeflex', 'thesis.tex'), 'years of work');
    await expect(cleanBoard(await board.profile())).rejects.toThrow('is not a folder that edgeflex made');
    expect(existsSync(board.home('.cache', 'edgeflex', 'thesis.tex'))).toBe(true);
  });
});

describe('the native runtime for boards', () => {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node/package.json');
  const library = join(dirname(entry), 'bin', 'napi-v6', 'linux', 'arm64', 'libonnxruntime.so.1');
  const namesIn = (pattern: string): string[] =>
    execFileSync('grep', ['-aoE', pattern, library]).toString().split('\n').filter(Boolean);

  it('needs no newer C library than a board is asked for', () => {
    const names = namesIn('GLIBC_[0-9]+\\.[0-9]+');
    const newest = Math.max(...names.map((name) => Number(name.split('.')[1])));
    expect(`2.${newest}`).toBe(LEAST_GLIBC);
  });

  it.each(['dotprod', 'i8mm'])("has KleidiAI's 4-bit kernels for %s, as docs/boards.md says", (feature) => {
    const kernels = namesIn(
      `kai_run_matmul_clamp_f32_qai8dxp[0-9x]+_qsi4c32p[0-9x]+_[0-9x]+_neon_${feature}`,
    );
    expect(kernels).not.toEqual([]);
  });
});
