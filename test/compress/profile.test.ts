import { beforeAll, describe, expect, it } from 'vitest';
import { profileOptionsSchema } from '../../src/compress/profile/options.js';
import { profile } from '../../src/compress/profile/stage.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import { float32 } from '../../src/onnx/tensor.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import type { LinearName } from '../../src/vit/linears.js';
import { withWeights } from '../../src/vit/vit.js';
import { fingerprint, openBench, pixelsOf, valuesOf, type Bench } from './support.js';

const [images, tokens, batch] = [24, 17, 5];
const rows = images * tokens;
const options = profileOptionsSchema.parse({ images, percentiles: [75, 99], batch });

/** What each observed linear reads, as the graph calls it. */
const read: readonly (readonly [LinearName, string])[] = [0, 3].flatMap((layer) => [
  [`layers.${layer}.q`, `layers.${layer}.norm1`] as const,
  [`layers.${layer}.o`, `layers.${layer}.context`] as const,
  [`layers.${layer}.fc1`, `layers.${layer}.norm2`] as const,
  [`layers.${layer}.fc2`, `layers.${layer}.gelu`] as const,
]);

let bench: Bench;
let profiled: Awaited<ReturnType<typeof profile>>;
let whole: Map<string, Float32Array>;
beforeAll(async () => {
  bench = await openBench();
  profiled = await profile(bench.vit, bench.context, options);
  const pixels = await pixelsOf(await bench.context.calibration.images(images));
  const names = read.map(([, name]) => name);
  whole = await valuesOf(bench, bench.vit, names, pixels);
});

/** A channel's values over all rows, in float64. */
function channel(name: string, c: number): Float64Array {
  const values = whole.get(name)!;
  const width = values.length / rows;
  return Float64Array.from({ length: rows }, (_, r) => values[r * width + c]!);
}

const mean = (values: Float64Array): number => values.reduce((sum, x) => sum + x, 0) / values.length;

describe('the profile stage', () => {
  it.each(read)('has the statistics of every channel that %s reads', (linear, name) => {
    const found = profiled.details[linear]!;
    const channels = whole.get(name)!.length / rows;
    expect(found.mean).toHaveLength(channels);
    for (let c = 0; c < channels; c++) {
      const values = channel(name, c);
      const near = (value: number, expected: number): void => {
        expect(Math.abs(value - expected)).toBeLessThan(2e-5 * Math.max(1, Math.abs(expected)));
      };
      near(found.min[c]!, Math.min(...values));
      near(found.max[c]!, Math.max(...values));
      near(found.mean[c]!, mean(values));
      near(found.meanAbs[c]!, mean(values.map(Math.abs)));
      near(found.meanSquare[c]!, mean(values.map((x) => x * x)));
      const sorted = values.sort();
      for (const percentile of [75, 99]) {
        const beyond = Math.floor(((100 - percentile) * rows) / 100);
        near(found.percentiles[String(percentile)]!.upper[c]!, sorted[rows - 1 - beyond]!);
        near(found.percentiles[String(percentile)]!.lower[c]!, sorted[beyond]!);
      }
    }
  });

  it.each(read)('sums up what %s reads over its channels', (linear, name) => {
    const values = Float64Array.from(whole.get(name)!);
    const summary = profiled.report.inputs.find((each) => each.linear === linear)!;
    expect(summary.channels).toBe(values.length / rows);
    expect(summary.min).toBeCloseTo(
      values.reduce((a, b) => Math.min(a, b)),
      4,
    );
    expect(summary.max).toBeCloseTo(
      values.reduce((a, b) => Math.max(a, b)),
      4,
    );
    expect(summary.meanAbs).toBeCloseTo(mean(values.map(Math.abs)), 5);
    expect(summary.rms).toBeCloseTo(Math.sqrt(mean(values.map((x) => x * x))), 5);
    const extents = Array.from({ length: summary.channels }, (_, c) => {
      const one = channel(name, c);
      return Math.max(...one) - Math.min(...one);
    }).sort((a, b) => a - b);
    expect(summary.outlierRatio).toBeCloseTo(extents.at(-1)! / extents[extents.length / 2]!, 3);
  });

  it('reports each value that linears of a block read once, over all images', () => {
    expect(profiled.report.images).toBe(images);
    expect(profiled.report.inputs).toHaveLength(16);
    expect(new Set(profiled.report.inputs.map(({ linear }) => linear)).size).toBe(16);
  });

  it('only observes', async () => {
    expect(profiled.vit).toBe(bench.vit);
    expect(await fingerprint(profiled.vit)).toBe(await fingerprint((await openBench()).vit));
  });

  it('says of channels that do not vary that none stands out', async () => {
    // A norm without weights gives its bias, the same for every row.
    const still = float32([128], new Float32Array(128));
    const vit = withWeights(bench.vit, [['layers.1.norm2.weight', still]]);
    const { report } = await profile(vit, bench.context, options);
    const summary = report.inputs.find(({ linear }) => linear === 'layers.1.fc1')!;
    expect(summary.outlierRatio).toBe(1);
  });
});

/** Bytes that are alive while each node runs, by the definition: made before, read now or later. */
function alive(graph: OnnxModel, bytes: ReadonlyMap<string, number>): Map<string, number> {
  const root = new Map<string, string>();
  const rootOf = (name: string): string => root.get(name) ?? name;
  for (const { opType, inputs, outputs } of graph.nodes)
    if (opType === 'Reshape') root.set(outputs[0]!, rootOf(inputs[0]!));
  const lastRead = new Map<string, number>();
  for (const [index, { inputs }] of graph.nodes.entries())
    for (const input of inputs) lastRead.set(rootOf(input), index);
  const live = new Map<string, number>();
  for (const [index, node] of graph.nodes.entries()) {
    let sum = 0;
    for (const [made, { opType, outputs }] of graph.nodes.slice(0, index + 1).entries())
      if (opType !== 'Reshape')
        for (const name of outputs)
          if (made === index || (lastRead.get(name) ?? 0) >= index) sum += bytes.get(name) ?? 0;
    // A sum is written over a term that nobody needs any more.
    const over = node.inputs.some((input) => bytes.has(input) && lastRead.get(rootOf(input)) === index);
    if (node.opType === 'Add' && over) sum -= bytes.get(node.outputs[0]!)!;
    live.set(node.name, sum);
  }
  return live;
}

describe('the activation memory of the profile', () => {
  it('counts what every node makes with the sizes that the runtime gives them', async () => {
    const graph = buildGraph(bench.vit);
    const names = graph.values.map(({ name }) => name).filter((name) => name.startsWith('layers.'));
    const pixels = bench.pixels.subarray(0, batch * 3 * 32 * 32);
    const real = await valuesOf(bench, bench.vit, names, pixels, graph);
    const { nodes, peakBytes, peakNode } = profiled.report.activations;
    let compared = 0;
    for (const { node, opType, outputBytes } of nodes) {
      if (!real.has(node) || opType === 'Reshape') continue;
      expect([node, outputBytes]).toEqual([node, real.get(node)!.byteLength]);
      compared += 1;
    }
    // Two norms, two sums, six linears, attention and GELU of four blocks; in the last what the head reads is picked twice.
    expect(compared).toBe(4 * 12 + 2);

    const bytes = new Map([...real].map(([name, { byteLength }]) => [name, byteLength]));
    const live = alive(graph, bytes);
    const [place, most] = [...live].reduce((best, each) => (each[1] > best[1] ? each : best));
    expect([peakNode, peakBytes]).toEqual([place, most]);
  });
});
