import { expect, describe, it } from 'vitest';
import { serializeModel } from '../../src/onnx/file.js';
import { nodeCosts } from '../../src/onnx/cost.js';
import type { Device } from '../../src/device/device.js';
import { ceilingGraph, INPUT_VALUES, MEASURED } from '../../src/run/roofline/graph.js';
import { measureRoofline } from '../../src/run/roofline/measure.js';
import { subjectsOf } from '../../src/run/roofline/subjects.js';
import { precisions } from '../../src/store/node-work.js';
import { openStore } from '../../src/store/open.js';
import {
  insertRoofline,
  listRooflines,
  rooflineEnvironment,
  type CeilingSubject,
} from '../../src/store/rooflines.js';
import { runOnce } from '../support/engine.js';
import { useFolder } from '../support/folder.js';
import { openTestDevice } from '../support/tasks.js';

const folder = useFolder();

const shape = { rows: 6, inner: 64, columns: 32 };
const stream = { kind: 'stream', bytes: 3 * 4 * 1024 * 8 } as const;
const products = precisions.map((precision): CeilingSubject => ({ kind: 'product', precision, shape }));

const options = {
  ...{ subjects: [...products, stream], rounds: 2, seed: 1, onProgress: () => undefined },
  signal: new AbortController().signal,
};

describe('the model of a ceiling', () => {
  it('computes the product it is measured for, in every precision', async () => {
    // In float64, of the very weights; 0.75 is a uint8 with the scale 1 / 128.
    const weight = (index: number): number => ((index * 37) % 251) - 125;
    const rows: Record<string, (column: number) => number> = {
      float32: (column) => sum((k) => (0.75 * (weight(k * shape.columns + column) + 0.5)) / 1024),
      int8: (column) => sum((k) => (0.75 * (weight(k * shape.columns + column) >> 1)) / 127),
    };
    for (const subject of products.filter(({ kind }) => kind === 'product')) {
      const { precision } = subject as Extract<CeilingSubject, { kind: 'product' }>;
      const reference = rows[precision];
      const graph = ceilingGraph(subject);
      expect(nodeCosts(graph, 1).get(MEASURED)!.product).toMatchObject({
        shape,
        multiplications: shape.rows * shape.inner * shape.columns,
      });
      if (reference === undefined) continue;
      const data = Float32Array.from(INPUT_VALUES);
      const { row } = await runOnce(await serializeModel(graph), { x: { dims: [1, 3, 1, 1], data } });
      const found = [...(row!.data as Float32Array)];
      expect(found).toHaveLength(shape.columns);
      for (const [column, value] of found.entries())
        expect(value, `${precision} ${column}`).toBeCloseTo(reference(column), 4);
    }

    function sum(term: (k: number) => number): number {
      return Array.from({ length: shape.inner }, (_, k) => term(k)).reduce((a, b) => a + b, 0);
    }
  });

  it('of a stream adds two tensors that are not one, of the bytes it says', async () => {
    const graph = ceilingGraph(stream);
    expect(nodeCosts(graph, 1).get(MEASURED)!.bytes).toBe(stream.bytes);
    const data = Float32Array.from(INPUT_VALUES);
    const { row } = await runOnce(await serializeModel(graph), { x: { dims: [1, 3, 1, 1], data } });
    expect(new Set(row!.data as Float32Array)).toEqual(new Set([INPUT_VALUES[0] + INPUT_VALUES[2]]));
  });
});

describe('a roofline', () => {
  it('holds the times of every round, and says what the device has no kernels for', async () => {
    const device = await openTestDevice();
    const roofline = await measureRoofline(device, options);
    expect(roofline.device).toBe('here');
    expect(roofline.setting).toMatchObject({
      ...{ threads: 1, runtime: { name: 'onnxruntime-node', provider: 'CPUExecutionProvider' } },
      session: { threads: 1, arena: true },
    });
    expect(roofline.ceilings.map(({ subject }) => subject)).toEqual(options.subjects);
    for (const { subject, rounds, failure } of roofline.ceilings) {
      const isHalf = subject.kind === 'product' && subject.precision === 'float16';
      // x86 has no float16 kernels; ARM may.
      if (isHalf && failure !== null) {
        expect(failure.status).toBe('unsupported');
        expect(rounds).toEqual([]);
        continue;
      }
      expect(failure).toBeNull();
      expect(rounds).toHaveLength(2);
      for (const times of rounds) expect(times.length).toBeGreaterThanOrEqual(5);
    }

    const db = await openStore(folder('results.sqlite'));
    await insertRoofline(db, { ...roofline, measuredAt: '2026-01-01T00:00:00.000Z' });
    await insertRoofline(db, roofline);
    expect((await listRooflines(db))[0]).toEqual(JSON.parse(JSON.stringify(roofline)));
    await db.destroy();
  });

  it('is not measured where the device cannot be used, and stops when it is told to', async () => {
    const device = await openTestDevice();
    const broken: Device = { ...device, fault: 'no browser was found' };
    await expect(measureRoofline(broken, options)).rejects.toThrow('no browser was found');
    const stopped = AbortSignal.abort(new Error('enough'));
    await expect(measureRoofline(device, { ...options, signal: stopped })).rejects.toThrow('enough');
  });

  it('is of the linears of small, usual and large models in every precision, and of what fits the memory', () => {
    const all = subjectsOf(8, 64 * 2 ** 30);
    const shapes = all.flatMap((subject) =>
      subject.kind === 'product' && subject.precision === 'int8' ? [subject.shape] : [],
    );
    expect(shapes).toHaveLength(9);
    expect(shapes).toContainEqual({ rows: 8 * 197, inner: 768, columns: 3072 });
    expect(shapes).toContainEqual({ rows: 8 * 257, inner: 5120, columns: 1280 });
    const streams = (memory: number): number[] =>
      subjectsOf(8, memory).flatMap((subject) => (subject.kind === 'stream' ? [subject.bytes] : []));
    expect(streams(64 * 2 ** 30).at(-1)).toBe(384 * 2 ** 20);
    expect(streams(2 ** 30).at(-1)).toBe(96 * 2 ** 20);
  });

  it('holds for another device only when all that decides its speed is the same', async () => {
    const device = await openTestDevice();
    const { environment } = device;
    const setting = {
      ...{ environment, threads: 2, session: { threads: 2, arena: true } },
      runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
    };
    const hash = rooflineEnvironment(setting);
    expect(rooflineEnvironment(JSON.parse(JSON.stringify(setting)) as typeof setting)).toBe(hash);
    const gpu = {
      ...{ vendor: 'v', architecture: 'a', device: 'd', description: '', software: true },
      ...{ features: [], limits: {} },
    };
    for (const other of [
      { ...setting, threads: 1 },
      { ...setting, session: { ...setting.session, arena: false } },
      { ...setting, runtime: { ...setting.runtime, version: '1.31.0' } },
      { ...setting, environment: { ...environment, cpu: { ...environment.cpu, model: 'another' } } },
      { ...setting, environment: { ...environment, gpu } },
    ])
      expect(rooflineEnvironment(other)).not.toBe(hash);
    const moved = { ...environment, git: { commit: 'abc', dirty: true }, memoryBytes: 1 };
    expect(rooflineEnvironment({ ...setting, environment: moved })).toBe(hash);
  });
});
