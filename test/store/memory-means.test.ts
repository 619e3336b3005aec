import { expect, it } from 'vitest';
import { storedMeans } from '../../src/store/memory-means.js';

const process = new Set(['resident', 'peakResident']);
const of = (platform: string | null, isOfPhase: number | null) => ({
  ...{ memory_means: null, platform, peak_is_of_phase: isOfPhase },
});

it('is what was stored', () => {
  const row = { ...of('linux-x64 node 20', null), memory_means: 'cgroup-peak-of-phase' };
  expect(storedMeans(row, process)).toBe('cgroup-peak-of-phase');
});

it.each([
  ['linux-x64 node 20', 1, 'vmhwm-of-phase'],
  ['linux-arm64 node 20', 0, 'vmhwm-of-process'],
  ['darwin-arm64 node 22', 0, 'rusage-of-process'],
  ['win32-x64 node 22', 0, 'working-set-of-process'],
] as const)('of older versions on %s follows from the system: %i, %s', (platform, isOfPhase, means) => {
  expect(storedMeans(of(platform, isOfPhase), process)).toBe(means);
});

it('of older versions in a browser is what the processes told, and none where only the page did', () => {
  const row = of('Linux x86_64 Chrome 139', 1);
  expect(storedMeans(row, new Set(['renderersPeakResident', 'jsHeap']))).toBe('renderers-of-phase');
  expect(storedMeans(row, new Set(['wasmHeap', 'gpuBuffers']))).toBeUndefined();
});
