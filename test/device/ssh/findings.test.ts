import { describe, expect, test } from 'vitest';
import { findingsOf } from '../../../src/device/ssh/findings.js';
import { factsOf } from '../../../src/device/ssh/probe.js';
import { sshSchema, type SshProfile } from '../../../src/device/ssh/profile.js';

const profile = (changes: object = {}): SshProfile =>
  sshSchema.parse({ name: 'pi', kind: 'ssh', host: 'pi', ...changes });

/** What the probe prints on a board that is fit, some lines exchanged. */
function printed(changes: Readonly<Record<string, string>> = {}): string {
  const lines: Readonly<Record<string, string>> = {
    ...{ system: 'Linux\taarch64\t6.1.0', libc: 'glibc 2.36', usable: '4', load: '0.1 0.1 0.1' },
    ...{ cpuinfo: 'processor : 0', disk: '9000000\twritable\t/home/pi' },
    ...{ node: '/usr/local/bin/node\tv20.20.2', ...changes },
  };
  const memory = ['MemTotal', 'MemAvailable'].map((key) => `memory\t${key}\t8000000`);
  return [...Object.entries(lines).map(([key, values]) => `${key}\t${values}`), ...memory].join('\n');
}

/** Boards on which no agent can run: what they print, how they are to be used, and why not. */
const unfit: Readonly<Record<string, readonly [Readonly<Record<string, string>>, object, RegExp]>> = {
  'is 32-bit': [
    { system: 'Linux\tarmv7l\t6.1.0' },
    {},
    /^architecture: Linux armv7l\. Boards need a 64-bit system/,
  ],
  'is no ARM': [
    { system: 'Linux\triscv64\t6.1.0' },
    {},
    /^architecture: Linux riscv64\. Boards are 64-bit ARM machines/,
  ],
  'has an old C library': [
    { libc: 'glibc 2.17' },
    {},
    /^C library: glibc 2\.17\. ONNX Runtime and Node need glibc 2\.28 or newer/,
  ],
  'has an old Node, which the profile wants': [
    { node: '/usr/local/bin/node\tv16.20.2' },
    { node: '/usr/local/bin/node' },
    /^Node: 16\.20\.2 \(\/usr\/local\/bin\/node\)\. Agents need Node 20\.0\.0 or newer/,
  ],
};

describe('a board that', () => {
  test('is fit has nothing that fails', () => {
    const findings = findingsOf(factsOf(printed()), profile({ node: '/usr/local/bin/node' }));
    expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
  });

  test.each(Object.entries(unfit))('%s fails for that reason alone', (_, [lines, changes, reason]) => {
    const failed = findingsOf(factsOf(printed(lines)), profile(changes)).filter(
      ({ state }) => state === 'fail',
    );
    expect(failed.map(({ what, found, fix }) => `${what}: ${found}. ${fix ?? ''}`)).toEqual([
      expect.stringMatching(reason),
    ]);
  });
});
