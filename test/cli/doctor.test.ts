import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Finding } from '../../src/device/kind.js';
import { powerFinding } from '../../src/device/local/check.js';
import { useFolder } from '../support/folder.js';
import { edgeflex } from './support.js';

const folder = useFolder();

interface Place {
  readonly place: string;
  readonly findings: readonly Finding[];
}

describe('edgeflex doctor', () => {
  test('looks at the installation, the processor and browsers, and says how to fix what is not fine', async () => {
    const { code, out } = await edgeflex(['doctor', '--json'], { EDGEFLEX_CACHE: folder('cache') });
    const places = JSON.parse(out) as Place[];
    expect(code).toBe(0);
    expect(places.map(({ place }) => place)).toEqual([
      'EdgeFlex',
      'local-cpu',
      'browser-wasm',
      'browser-webgpu',
    ]);
    const findings = places.flatMap((each) => each.findings);
    expect(findings.find(({ what }) => what === 'Node')).toMatchObject({
      state: 'ok',
      found: process.versions.node,
    });
    expect(findings.filter(({ state, fix }) => state === 'warn' && fix === undefined)).toEqual([]);
  });

  test('fails where EdgeFlex cannot work', async () => {
    const { code, out } = await edgeflex(['doctor', '--json'], { EDGEFLEX_CACHE: '/proc/nowhere/cache' });
    expect(code).toBe(3);
    const [installation] = JSON.parse(out) as Place[];
    const cache = installation!.findings.find(({ what }) => what === 'cache');
    expect(cache).toMatchObject({ state: 'fail' });
    expect(cache!.fix).toContain('EDGEFLEX_CACHE');
  });
});

describe('the counters of energy', () => {
  const zone = (): string => folder('sys', 'class', 'powercap', 'intel-rapl:0');

  test('may be absent, which a profile can make up for', () => {
    const { state, fix } = powerFinding(folder());
    expect([state, fix?.includes('power')]).toEqual(['warn', true]);
  });

  test('may be read', async () => {
    await mkdir(zone(), { recursive: true });
    await writeFile(join(zone(), 'energy_uj'), '12\n');
    expect(powerFinding(folder())).toMatchObject({ state: 'ok' });
  });
});
