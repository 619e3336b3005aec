import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnsupportedError } from '../../src/base/errors.js';
import type { OpenedData } from '../../src/data/kind.js';
import { readImages } from '../../src/data/records.js';
import type { Device } from '../../src/device/device.js';
import { writeModel } from '../../src/onnx/file.js';
import type { Measurement } from '../../src/protocol/measurement.js';
import type { AccuracyTask, PrepareTask } from '../../src/protocol/task.js';
import { maxDifference } from '../compress/support.js';
import { runOnce, sessionOptions } from '../support/engine.js';
import { modelWithoutKernel } from '../support/models.js';
import { openShapes, writeMicro, type MicroFiles } from '../support/micro.js';
import { openTestDevice, perform, shortPass, taskBase, timing } from '../support/tasks.js';
import { storedRecords } from '../data/support/cifar.js';

/** Float sums of another batch size may differ in their last bits. */
const LAST_BITS = 1e-4;

/** Images that are prepared: some of both files' ends, one twice. */
const INDICES = [5, 0, 5, 300, 679, 7];

let directory: string;
let files: MicroFiles;
let data: OpenedData;
let device: Device;
/** The prepared images. */
let inputs: string;
let preparation: Measurement;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'edgeflex-test-'));
  files = await writeMicro(directory);
  data = await openShapes();
  device = await openTestDevice();
  inputs = join(directory, 'inputs.bin');
  preparation = (await perform(device, prepareTask(INDICES, inputs))).measurement;
});

afterAll(async () => {
  await device.close();
  await rm(directory, { recursive: true, force: true });
});

function prepareTask(indices: number[], output: string): PrepareTask {
  const { layout, files: stored } = storedRecords(data.test);
  const images = { layout, files: stored.map(({ path, records }) => ({ path, records })) };
  return { kind: 'prepare', ...taskBase, preprocess: files.preprocess, images, indices, output };
}

function accuracyTask(batch: number, microBatch: number, count: number): AccuracyTask {
  const { images, preprocess } = prepareTask([0], '');
  return { kind: 'accuracy', ...taskBase, ...files, preprocess, images, batch, microBatch, count };
}

/** The logits that a session in this process gives for test images. */
async function logitsHere(indices: readonly number[]): Promise<Float32Array> {
  const pixels = await pixelsHere(indices);
  const dims = [indices.length, 3, 32, 32];
  const { logits } = await runOnce(files.model, { pixel_values: { dims, data: pixels } });
  return logits!.data as Float32Array;
}

/** Test images as the preprocessing's formula has them: `(x / 255 − mean) / std`, both one half. */
async function pixelsHere(indices: readonly number[]): Promise<Float32Array> {
  const bytes = await readImages(storedRecords(data.test), indices);
  return Float32Array.from(bytes, (byte) => (byte / 255 - 0.5) / 0.5);
}

/** All logits of a measurement, put together by the images they are of. */
function logitsIn({ logits }: Measurement): Float32Array {
  const values: number[] = [];
  for (const part of logits) {
    expect(part.first * part.classes).toBe(values.length);
    values.push(...part.values);
  }
  return Float32Array.from(values);
}

function phasesOf({ phases }: Measurement): string[] {
  return phases.map(({ phase }) => phase);
}

/** What is true of every measurement of this machine. */
function expectSound({ started, phases }: Measurement): void {
  expect(started).toMatchObject({
    runtime: { name: 'onnxruntime-node', provider: 'CPUExecutionProvider' },
    session: sessionOptions,
  });
  for (const { milliseconds, cpuMilliseconds, memory } of phases) {
    expect(milliseconds).toBeGreaterThan(0);
    // No process takes more than all processors, of which the clock counts hundredths of a second.
    expect(cpuMilliseconds!).toBeLessThanOrEqual(availableParallelism() * (milliseconds + 20));
    expect(memory.peakResident!).toBeGreaterThanOrEqual(memory.resident!);
    expect(memory.anonymous! + memory.fileBacked!).toBeLessThanOrEqual(memory.resident!);
    // A process with Node and ONNX Runtime in it, in bytes.
    expect(memory.anonymous!).toBeGreaterThan(5e6);
    expect(memory.resident!).toBeGreaterThan(30e6);
  }
}

describe('a model that the runtime has no kernel for', () => {
  it('is not supported, which is no fault of the agent', async () => {
    const model = join(directory, 'without-kernel.onnx');
    await writeModel(modelWithoutKernel(), model);
    const task = timing(model, inputs, 1, shortPass);
    const error = await perform(device, task).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnsupportedError);
    expect((error as UnsupportedError).message).toContain('BiasAdd');
  });
});

describe('an agent that prepares a batch', () => {
  it('goes through the phases of that and no others', () => {
    expectSound(preparation);
    expect(phasesOf(preparation)).toEqual(['runtime', 'prepare']);
  });

  it('writes the preprocessed images in the order they were asked for', async () => {
    const written = new Float32Array((await readFile(inputs)).buffer);
    expect(maxDifference(written, await pixelsHere(INDICES))).toBeLessThan(1e-5);
  });

  it('fails with the number of an image that is not there', async () => {
    const beyond = prepareTask([0, data.test.count], join(directory, 'beyond.bin'));
    await expect(perform(device, beyond)).rejects.toThrow(`there is no image ${data.test.count}`);
  });
});

describe('an agent that looks at the placement', () => {
  // On a busy machine the second thread may get no core in time; then nothing is told, and it is tried again.
  it('tells how long a cache line takes between two cores, and opens no runtime', { retry: 8 }, async () => {
    const { measurement, events } = await perform(device, { kind: 'placement', ...taskBase });
    expect(events.map(({ event }) => event)).toEqual(['placement', 'finished']);
    // Light crosses a processor in a tenth of a nanosecond; cores of two sockets are within a microsecond of each other. A thread
    // that has to wait for its core takes longer, in some bursts.
    const { coreLatencies } = measurement;
    expect(coreLatencies.length > 0).toBe(availableParallelism() > 1);
    for (const each of coreLatencies) expect(each).toBeGreaterThan(1);
    if (coreLatencies.length > 0) expect(Math.min(...coreLatencies)).toBeLessThan(5000);
  });
});

describe('an agent that times a model', () => {
  it('tells phases, memory, the warm-up, every latency and the last logits', async () => {
    const task = timing(files.model, inputs, INDICES.length, shortPass);
    const { measurement, events } = await perform(device, task);
    expectSound(measurement);
    expect(phasesOf(measurement)).toEqual(['runtime', 'prepare', 'load', 'first', 'warmup', 'steady']);
    expect(measurement.warmup!.queries).toBeGreaterThan(0);
    expect(measurement.latencies.length).toBeGreaterThanOrEqual(shortPass.minQueries);
    const steady = measurement.phases.at(-1)!.milliseconds;
    expect(measurement.phases.at(-1)!.cpuMilliseconds!).toBeGreaterThan(0);
    const timed = measurement.latencies.reduce((sum, each) => sum + each, 0);
    expect(timed).toBeLessThanOrEqual(steady);
    expect(steady).toBeGreaterThanOrEqual(shortPass.minSeconds * 1000);
    expect(maxDifference(logitsIn(measurement), await logitsHere(INDICES))).toBeLessThan(LAST_BITS);
    expect(events[0]!.event).toBe('started');
    expect(events.at(-1)!.event).toBe('finished');
    expect(events.findLast(({ event }) => event === 'progress')).toEqual({ event: 'progress', done: 1 });
  });

  it('looks at the machine before the model is loaded, after the warm-up, and every second while it times', async () => {
    const bounds = { ...shortPass, minSeconds: 2.4 };
    const task = timing(files.model, inputs, INDICES.length, bounds);
    const { measurement, events } = await perform(device, task);
    const seen = events.flatMap((event) => (event.event === 'conditions' ? [event] : []));
    const [prepare, warmup, ...steady] = seen.map(({ phase }) => phase);
    expect([prepare, warmup]).toEqual(['prepare', 'warmup']);
    expect(new Set(steady)).toEqual(new Set(['steady']));
    // How many fit depends on how long queries are held up by others; the last may come sooner.
    const { milliseconds } = measurement.phases.at(-1)!;
    expect(steady.length).toBeGreaterThanOrEqual(2);
    expect(steady.length).toBeLessThanOrEqual(milliseconds / 1000 + 1);
    const moments = seen.map(({ conditions }) => conditions.at);
    expect(moments).toEqual([...moments].sort((a, b) => a - b));
    for (const { conditions } of seen.filter(({ phase }) => phase === 'steady')) {
      expect(conditions.stolen).toBeGreaterThanOrEqual(0);
      expect(conditions.otherLoad).toBeGreaterThanOrEqual(0);
      expect(conditions.otherLoad).toBeLessThanOrEqual(availableParallelism());
    }
    // The core's pace is looked at twenty times a second at most, and is of the same order each time on any machine.
    const paces = seen.flatMap(({ conditions }) => conditions.paces ?? []);
    expect(paces.length).toBeGreaterThan(5);
    expect(paces.length).toBeLessThanOrEqual(milliseconds / 50);
    expect(Math.min(...paces)).toBeGreaterThan(0.01);
    // Each is told before the end of the phase that it is of.
    const order = events.flatMap(({ event }, index) => (event === 'phase' ? [index] : []));
    const phaseEnds = events.flatMap((event) => (event.event === 'phase' ? [event.phase] : []));
    for (const each of seen)
      expect(order[phaseEnds.indexOf(each.phase)]!).toBeGreaterThan(events.indexOf(each));
  });

  it('goes on until there are enough queries, however short they are', async () => {
    const bounds = { minQueries: 400, minSeconds: 0.001, maxSeconds: 60, maxWarmupSeconds: 0.1 };
    const { measurement } = await perform(device, timing(files.model, inputs, INDICES.length, bounds));
    expect(measurement.latencies).toHaveLength(400);
  });

  it('stops at the longest time that it was given', async () => {
    const bounds = { minQueries: 1e9, minSeconds: 0.1, maxSeconds: 0.3, maxWarmupSeconds: 0.1 };
    const { measurement } = await perform(device, timing(files.model, inputs, INDICES.length, bounds));
    expect(measurement.latencies.length).toBeGreaterThan(0);
    expect(phasesOf(measurement)).toContain('steady');
  });

  it('says so when the steady state was not reached', async () => {
    const bounds = { ...shortPass, maxWarmupSeconds: 1e-6 };
    const { measurement } = await perform(device, timing(files.model, inputs, INDICES.length, bounds));
    expect(measurement.warmup).toEqual({ queries: expect.any(Number) as number, steady: false });
  });

  it('gives the same logits when the batch goes through in parts', async () => {
    const whole = timing(files.model, inputs, INDICES.length, shortPass);
    const { measurement } = await perform(device, { ...whole, microBatch: 4 });
    expect(measurement.logits.map(({ first, values }) => [first, values.length])).toEqual([
      [0, 40],
      [4, 20],
    ]);
    expect(maxDifference(logitsIn(measurement), await logitsHere(INDICES))).toBeLessThan(LAST_BITS);
  });

  it('fails with the words of the runtime when the batch is not what the file holds', async () => {
    const batch = timing(files.model, inputs, INDICES.length + 1, shortPass);
    await expect(perform(device, batch)).rejects.toThrow(/size|dim|length/i);
  });
});

describe('an agent that lists kernels', () => {
  it('tells them for one query, by operator and provider', async () => {
    const common = { ...taskBase, model: files.model, inputs, batch: INDICES.length };
    const callsWith = async (microBatch: number): Promise<Map<string, number>> => {
      const { measurement } = await perform(device, { kind: 'kernels', ...common, microBatch, runs: 3 });
      expectSound(measurement);
      expect(phasesOf(measurement)).toEqual(['runtime', 'prepare', 'load', 'steady']);
      expect(measurement.kernels.every(({ provider }) => provider === 'CPUExecutionProvider')).toBe(true);
      const times = measurement.kernels.map(({ milliseconds }) => milliseconds);
      expect(times).toEqual([...times].sort((a, b) => b - a));
      return new Map(measurement.kernels.map(({ opType, calls }) => [opType, calls]));
    };
    const whole = await callsWith(INDICES.length);
    const halves = await callsWith(INDICES.length / 2);
    expect(whole.size).toBeGreaterThan(3);
    for (const calls of whole.values()) expect(Number.isInteger(calls)).toBe(true);
    // Each part of the batch goes through every operator.
    expect(halves).toEqual(new Map([...whole].map(([opType, calls]) => [opType, 2 * calls])));
  });
});

describe('an agent that classifies test images', () => {
  it.each([
    [16, 16],
    [16, 5],
    [40, 40],
  ])('gives the logits of a session here, in batches of %i and parts of %i', async (batch, microBatch) => {
    const { measurement, events } = await perform(device, accuracyTask(batch, microBatch, 40));
    expectSound(measurement);
    expect(phasesOf(measurement)).toEqual(['runtime', 'prepare', 'load', 'first', 'steady']);
    expect(measurement.latencies).toHaveLength(Math.ceil(40 / batch));
    const reference = await logitsHere(Array.from({ length: 40 }, (_, index) => index));
    expect(maxDifference(logitsIn(measurement), reference)).toBeLessThan(LAST_BITS);
    const done = events.flatMap((event) => (event.event === 'progress' ? [event.done] : []));
    expect(done).toEqual([...done].sort((a, b) => a - b));
    expect(done.at(-1)).toBe(1);
  });
});

describe('an agent that is given what it cannot use', () => {
  it('fails with the words of the runtime when there is no model', async () => {
    const missing = timing(join(directory, 'missing.onnx'), inputs, INDICES.length, shortPass);
    await expect(perform(device, missing)).rejects.toThrow(/missing\.onnx/);
  });

  it('fails with the words of the runtime when the model is damaged', async () => {
    const damaged = join(directory, 'damaged.onnx');
    await writeFile(damaged, (await readFile(files.model)).subarray(0, 1000));
    await expect(perform(device, timing(damaged, inputs, 1, shortPass))).rejects.toThrow(/damaged\.onnx/);
  });

  it('fails with the system’s words when the prepared batch is gone', async () => {
    const gone = timing(files.model, join(directory, 'gone.bin'), 1, shortPass);
    await expect(perform(device, gone)).rejects.toThrow(/ENOENT.*gone\.bin/);
  });
});
