import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { viewAs, type TensorSource } from '../../src/onnx/tensor.js';
import { loadModel, modelHere } from '../../src/model/load.js';
import { buildGraph } from '../../src/vit/graph/model.js';
import { readSafetensors } from '../../src/vit/safetensors.js';
import { runOnce } from '../support/engine.js';

/** Tiny models that Transformers and timm wrote, and what PyTorch gives for two images (`models/make.py`). */
const folder = join(packageRoot(), 'test', 'vit', 'models');
const names = readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
);
const classes = Array.from({ length: 10 }, (_, index) => `class ${index}`);

let parity: ReadonlyMap<string, TensorSource>;
beforeAll(async () => {
  parity = (await readSafetensors(join(folder, 'parity.safetensors'))).tensors;
});

const floats = async (name: string): Promise<Float32Array> =>
  viewAs(await parity.get(name)!.read(), Float32Array);

it.each(names)('%s gives the logits that PyTorch gave, as graph for a CPU and for WebGPU', async (name) => {
  const local = await modelHere({ kind: 'path', name, path: join(folder, name) });
  const { vit } = await loadModel(local, classes);
  const [pixels, expected] = [await floats('pixel_values'), await floats(name)];
  const largest = Math.max(...expected.map(Math.abs));
  const inputs = { pixel_values: { dims: [2, 3, 16, 16], data: pixels } };
  for (const target of ['cpu', 'webgpu'] as const) {
    const outputs = await runOnce(buildGraph(vit, {}, target), inputs);
    const logits = outputs['logits']!.data as Float32Array;
    expect(logits.length).toBe(expected.length);
    const difference = Math.max(...logits.map((value, i) => Math.abs(value - expected[i]!)));
    expect(difference / largest, target).toBeLessThan(2e-6);
  }
});
