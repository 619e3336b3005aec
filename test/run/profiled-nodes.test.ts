import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { quantizeOptionsSchema, type Format } from '../../src/compress/quantize/options.js';
import { quantize } from '../../src/compress/quantize/stage.js';
import { nodeCosts } from '../../src/onnx/cost.js';
import { writeModel } from '../../src/onnx/file.js';
import type { NodeTime } from '../../src/protocol/events.js';
import { profiledNodes } from '../../src/run/profiled-nodes.js';
import type { ProfiledNode } from '../../src/store/write.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import type { ViT } from '../../src/vit/vit.js';
import { openBench, type Bench } from '../compress/support.js';
import { useFolder } from '../support/folder.js';
import { openTestDevice, perform, taskBase } from '../support/tasks.js';

const folder = useFolder();
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});

const BATCH = 5;

/** A model's nodes as a real agent profiled them, with what they compute. */
async function profiled(vit: ViT, microBatch = BATCH): Promise<ProfiledNode[]> {
  const [model, inputs] = [folder('model.onnx'), folder('inputs.bin')];
  const graph = buildGraph(vit);
  await writeModel(graph, model);
  await writeFile(inputs, bench.pixels.subarray(0, BATCH * 3 * 32 * 32));
  const device = await openTestDevice();
  const task = { kind: 'kernels', ...taskBase, model, inputs, batch: BATCH, microBatch, runs: 2 } as const;
  const { measurement } = await perform(device, task);
  return profiledNodes(measurement.nodes, { ...graph, model }, BATCH, microBatch);
}

async function inForm(format: Format): Promise<ViT> {
  const options = quantizeOptionsSchema.parse({
    format,
    images: 8,
    rows: 64,
    alpha: 'off',
    clipWeights: false,
  });
  return (await quantize(bench.vit, bench.context, options)).vit;
}

/** Multiplications by precision. */
function multiplications(nodes: readonly ProfiledNode[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { work } of nodes)
    if (work?.product) {
      const { precision } = work.product;
      sums[precision] = (sums[precision] ?? 0) + work.product.multiplications;
    }
  return sums;
}

/** Multiplications of the graph at the test's batch: of all nodes, or of those with such names. */
function inGraph(vit: ViT, names = /.*/): number {
  const costs = [...nodeCosts(buildGraph(vit), BATCH)].filter(([name]) => names.test(name));
  return costs.reduce((sum, [, { product }]) => sum + (product?.multiplications ?? 0), 0);
}

const nameOf = ({ time }: ProfiledNode): string => time.node;

describe('the nodes of a profile', () => {
  it('are found in the graph, each with its times, whatever the form', async () => {
    const whole = await profiled(bench.vit);
    expect(whole.filter(({ work }) => work === undefined).map(nameOf)).toEqual([]);
    for (const { time } of whole) expect(time.milliseconds).toHaveLength(2);
    expect(multiplications(whole)).toEqual({ float32: inGraph(bench.vit) });

    const blocks = inGraph(bench.vit, /^layers\.\d+\.(q|k|v|o|fc1|fc2)$/);
    const embedding = inGraph(bench.vit, /^patch$/);
    expect(embedding).toBeGreaterThan(0);
    for (const [format, precision] of [
      ['w8a8', 'int8'],
      ['qdq', 'int8'],
      ['dynamic', 'int8'],
      ['w8', 'w8'],
      ['w4', 'w4'],
    ] as const) {
      const vit = await inForm(format);
      const nodes = await profiled(vit);
      const linears = blocks + (format === 'w8a8' ? embedding : 0);
      expect(multiplications(nodes), format).toEqual({
        [precision]: linears,
        float32: inGraph(bench.vit) - linears,
      });
      expect(nodes.filter(({ work }) => work === undefined).map(nameOf), format).toEqual([]);
    }
  });

  it('of a model that merges tokens are found though the runtime fuses some', async () => {
    const vit = { ...bench.vit, config: { ...bench.vit.config, merges: [3, 0, 4, 2] } };
    const nodes = await profiled(vit);
    expect(nodes.map(({ time }) => time.opType)).toContain('FusedMatMul');
    expect(nodes.filter(({ work }) => work === undefined).map(nameOf)).toEqual([]);
    expect(multiplications(nodes)).toEqual({ float32: inGraph(vit) });
  });

  it('count the parts of a batch, the last and smaller one too', async () => {
    const parts = await profiled(bench.vit, 2);
    expect(multiplications(parts)).toEqual({ float32: inGraph(bench.vit) });
    const gemm = parts.find(({ time }) => time.node === 'layers.0.fc1')!;
    expect(gemm.time.calls).toBe(3);
    expect(gemm.work!.product!.shape).toEqual({ rows: 2 * 17, inner: 128, columns: 512 });
  });

  it('that are not of the graph have no work', async () => {
    const graph = buildGraph(bench.vit);
    await writeModel(graph, folder('model.onnx'));
    const strange: NodeTime = {
      node: 'reorder',
      opType: 'Transpose',
      provider: 'CPU',
      calls: 1,
      milliseconds: [1],
    };
    expect(await profiledNodes([strange], { ...graph, model: folder('model.onnx') }, 1, 1)).toEqual([
      { time: strange, work: undefined },
    ]);
  });
});
