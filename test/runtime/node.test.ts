import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { packageRoot } from '../../src/base/paths.js';
import { GraphBuilder } from '../../src/onnx/builder.js';
import { serializeModel, writeModel } from '../../src/onnx/file.js';
import { unary } from '../../src/onnx/ops.js';
import { identityModel } from '../../src/runtime/identity.js';
import { UnsupportedModel } from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';
import { sessionOptions } from '../support/engine.js';
import { useFolder } from '../support/folder.js';
import { linearModel, modelWithoutKernel } from '../support/models.js';

const folder = useFolder();
const engine = await nodeEngine();

/** `y = [x₀ + 10, 2 x₀ + 3 x₁ + 20]`. */
const linear = linearModel(Float32Array.of(1, 2, 0, 3), Float32Array.of(10, 20));

describe('ONNX Runtime in this process', () => {
  it('says what it is', () => {
    const { name, version, provider } = engine.info;
    expect({ name, provider }).toEqual({ name: 'onnxruntime-node', provider: 'CPUExecutionProvider' });
    expect(version).toMatch(/^1\.\d+\.\d+/);
  });

  it('runs a model from a file and from bytes alike', async () => {
    await writeModel(linear, folder('linear.onnx'));
    const x = engine.tensor('float32', Float32Array.of(5, 7, -1, 0), [2, 2]);
    for (const source of [folder('linear.onnx'), await serializeModel(linear)]) {
      const session = await engine.open(source, sessionOptions);
      expect(session.inputNames).toEqual(['x']);
      expect(session.outputNames).toEqual(['y']);
      const { y } = await session.run({ x });
      expect([...(y!.data as Float32Array)]).toEqual([15, 51, 9, 18]);
      expect(y!.dims).toEqual([2, 2]);
      await session.close();
    }
  });

  it('refuses an input that does not fit, in words, and goes on', async () => {
    const session = await engine.open(await serializeModel(linear), sessionOptions);
    const wide = engine.tensor('float32', new Float32Array(3), [1, 3]);
    await expect(session.run({ x: wide })).rejects.toThrow(/dimension|shape/i);
    await expect(session.run({ other: wide })).rejects.toThrow();
    const fitting = engine.tensor('float32', new Float32Array(2), [1, 2]);
    expect([...((await session.run({ x: fitting }))['y']!.data as Float32Array)]).toEqual([10, 20]);
    await session.close();
  });

  it.each(['open', 'openProfiled'] as const)('refuses to %s what is no model', async (open) => {
    await writeFile(folder('noise.onnx'), 'this is not a protobuf');
    await expect(engine[open](folder('noise.onnx'), sessionOptions)).rejects.toThrow(/noise\.onnx/);
    await expect(engine[open](folder('none.onnx'), sessionOptions)).rejects.toThrow(/none\.onnx/);
  });

  it('refuses an operator that nobody has', async () => {
    const nodes = linear.nodes.map((node) => ({ ...node, opType: 'Transmogrify' }));
    const strange = await serializeModel({ ...linear, nodes });
    const error = await engine.open(strange, sessionOptions).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('Transmogrify');
    expect(error).not.toBeInstanceOf(UnsupportedModel);
  });

  it('names the operator of a model that it has no kernel for, with the profiler and without', async () => {
    const model = await serializeModel(modelWithoutKernel());
    for (const open of ['open', 'openProfiled'] as const) {
      const error = await engine[open](model, sessionOptions).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(UnsupportedModel);
      expect((error as UnsupportedModel).operators).toEqual(['BiasAdd']);
    }
  });
});

describe('the profiler', () => {
  it('tells every kernel that ran, and leaves no file behind', async () => {
    const temporary = folder();
    vi.stubEnv('TMPDIR', temporary);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(tmpdir()).toBe(temporary);
    const session = await engine.openProfiled(await serializeModel(linear), sessionOptions);
    const x = engine.tensor('float32', new Float32Array(2), [1, 2]);
    for (let run = 0; run < 3; run++) await session.run({ x });
    const calls = await session.calls();
    expect(calls.length).toBeGreaterThan(0);
    const byNode = new Map<string, number>();
    for (const call of calls) {
      expect(call.provider).toBe('CPUExecutionProvider');
      expect(call.opType).toMatch(/^(MatMul|Add|Gemm|FusedGemm|FusedMatMul)$/);
      expect(call.milliseconds).toBeGreaterThanOrEqual(0);
      byNode.set(call.node, (byNode.get(call.node) ?? 0) + 1);
    }
    expect([...byNode.values()].every((count) => count === 3)).toBe(true);
    await session.close();
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('leaves no folder behind when the model cannot be opened', async () => {
    vi.stubEnv('TMPDIR', folder());
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(engine.openProfiled(Uint8Array.of(1, 2, 3), sessionOptions)).rejects.toThrow();
    expect(readdirSync(folder())).toEqual([]);
  });
});

describe('the model of one node', () => {
  it('is what the graph builder makes of it', async () => {
    const g = new GraphBuilder('identity');
    g.output(unary(g, 'Identity', 'y', g.input('x', 'float32', [1])));
    expect(Buffer.from(identityModel()).equals(Buffer.from(await serializeModel(g.finish())))).toBe(true);
  });

  it('gives back what it is given', async () => {
    const session = await engine.open(identityModel(), sessionOptions);
    const { y } = await session.run({ x: engine.tensor('float32', Float32Array.of(42), [1]) });
    expect([...(y!.data as Float32Array)]).toEqual([42]);
    await session.close();
  });
});

describe('a fresh process', () => {
  it('loads the runtime only when asked, and with its telemetry switched off', async () => {
    const module = join(packageRoot(), 'dist', 'runtime', 'node.js');
    const script = `
      import { readFileSync } from 'node:fs';
      const { nodeEngine } = await import(${JSON.stringify(module)});
      const isLoaded = () => readFileSync('/proc/self/maps', 'utf8').includes('libonnxruntime');
      const before = isLoaded();
      await nodeEngine();
      console.log(JSON.stringify([before, isLoaded(), process.env.ORT_DISABLE_TELEMETRY]));`;
    const env = { ...process.env };
    delete env['ORT_DISABLE_TELEMETRY'];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      { env },
    );
    expect(JSON.parse(stdout)).toEqual([false, true, '1']);
  });
});
