import { describe, expect, it } from 'vitest';
import { square } from '../../src/base/size.js';
import { multiplications } from '../../src/compress/merge-tokens/schedule.js';
import { fitDevice, undisturbedCost } from '../../src/search/device-model.js';
import { probeSettings } from '../../src/search/probes.js';
import { shapeOf, untouched, type Settings } from '../../src/search/settings.js';
import { workKinds, workOf } from '../../src/search/work.js';
import { layerCount, tokensRead, tokenCount, tokensAt, type ViTConfig } from '../../src/vit/config.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { syntheticViT } from '../../src/vit/synthetic.js';

const vit = syntheticViT('vit-tiny', 1, square(32 * 7), ['a', 'b', 'c']);
const graph = buildGraph(vit);
const { config } = vit;

const work = (settings: Partial<Settings>, batch = 8) => {
  const all = { ...untouched, ...settings };
  return workOf(buildGraph(shapeOf(vit, all)), batch, all.microBatch);
};

describe('the work of a graph', () => {
  it('has the multiplications of the formula, and those of the head', () => {
    const { float, attention, int8 } = workOf(graph, 3, undefined);
    expect(float + attention).toBe(3 * (multiplications(config) + config.hiddenSize * config.labels.length));
    // In the last block only what the head reads asks.
    const tokens = tokenCount(config);
    const pairs = (layerCount(config) - 1) * tokens ** 2 + tokensRead(config) * tokens;
    expect(attention).toBe(3 * 2 * pairs * config.hiddenSize);
    expect(int8).toBe(0);
  });

  it('moves from float to int8 with the linears that become it', () => {
    const [before, after] = [work({}), work({ keep: ['layers.*.fc1'] })];
    const rows = (layerCount(config) - 1) * tokenCount(config) + tokensRead(config);
    const fc1 = 8 * rows * config.hiddenSize * config.mlpSizes[0]!;
    expect(before.float - after.float).toBe(after.int8);
    expect(work({ keep: [] }).int8 - after.int8).toBe(fc1);
    expect(after.constants).toBeLessThan(before.constants);
  });

  it('shrinks with tokens and widths', () => {
    const merges = config.mlpSizes.map(() => 8);
    const merged = { ...config, merges };
    const { gelu } = work({ merges });
    const last = layerCount(config) - 1;
    const sum = config.mlpSizes.reduce(
      (all, size, layer) => all + size * (layer === last ? tokensRead(config) : tokensAt(merged, layer + 1)),
      0,
    );
    expect(gelu).toBe(8 * sum);
    const widths = config.mlpSizes.map((size) => size / 2);
    expect(work({ prune: { ratio: 0.5, widths } }).gelu).toBe(work({}).gelu / 2);
  });

  it('of a batch in parts is the same multiplications, with more operators and constants', () => {
    const [whole, parts] = [work({}, 7), work({ microBatch: 2 }, 7)];
    for (const kind of ['float', 'attention', 'gelu'] as const) expect(parts[kind]).toBe(whole[kind]);
    for (const kind of ['constants', 'operators'] as const) expect(parts[kind]).toBe(4 * whole[kind]);
  });
});

describe('a device fitted to probes', () => {
  const settings = probeSettings(config, 8);
  const cost = [2e-9, 1e-8, 5e-9, 1e-6, 1e-7, 0, 1e-3];
  const timeOf = (load: { shape: typeof vit; microBatch: number | undefined }): number => {
    const amounts = workOf(buildGraph(load.shape), 8, load.microBatch);
    return workKinds.reduce((sum, kind, index) => sum + cost[index]! * amounts[kind], 0);
  };
  const loadOf = (each: Settings) => ({ shape: shapeOf(vit, each), batch: 8, microBatch: each.microBatch });

  it('predicts what it has not seen, where time is such a sum', () => {
    const device = fitDevice(
      settings.map(loadOf).map((load) => ({ load, cost: { milliseconds: timeOf(load), peak: 1e7 } })),
    );
    const unseen: Settings[] = [
      { ...untouched, keep: ['layers.0.*'], microBatch: 2 },
      {
        prune: { ratio: 0.7, widths: config.mlpSizes.map((size, layer) => size - 32 * layer) },
        merges: config.mlpSizes.map((_, layer) => layer),
        keep: ['layers.*.fc2'],
        microBatch: undefined,
      },
    ];
    for (const load of unseen.map(loadOf)) {
      const { milliseconds, peak } = device.predict(load);
      expect(milliseconds / timeOf(load)).toBeCloseTo(1, 3);
      expect(peak / 1e7).toBeCloseTo(1, 3);
    }
  });

  it('is asked for nothing that a model cannot give', () => {
    const knobsOf = (changes: Partial<ViTConfig>): string[] =>
      (['prune', 'merges'] as const).filter((knob) =>
        probeSettings({ ...config, ...changes }, 8).some((each) => each[knob] !== undefined),
      );
    expect(knobsOf({})).toEqual(['prune', 'merges']);
    expect(knobsOf({ mlpNorm: true })).toEqual(['merges']);
    expect(knobsOf({ rotary: 'shared' })).toEqual(['prune']);
    expect(knobsOf({ relativePositions: true })).toEqual(['prune']);
  });

  it('is fitted to undisturbed queries', () => {
    const slow = Array.from({ length: 20 }, (_, i) => 50 + i);
    const mixed = Array.from({ length: 20 }, (_, i) => (i < 10 ? 10 : 90));
    const peaks = new Map([
      [0, 5],
      [1, 9],
      [2, 6],
    ]);
    const latencies = new Map([
      [0, slow],
      [1, mixed],
    ]);
    const cost = undisturbedCost({ latencies, peaks });
    expect(cost.milliseconds).toBe(10);
    expect(cost.peak).toBeCloseTo(Math.cbrt(5 * 9 * 6), 12);
  });
});
