import { describe, expect, it } from 'vitest';
import { base64 } from '../../src/agent/base64.js';
import { seededRandom } from '../../src/base/random.js';
import { eventSchema, type AgentEvent } from '../../src/protocol/events.js';
import { MeasurementCollector, predictedClasses } from '../../src/protocol/measurement.js';
import { PROTOCOL_VERSION, taskSchema } from '../../src/protocol/task.js';

const started: AgentEvent = {
  event: 'started',
  runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
  platform: 'linux-x64 node 20.20.2',
  session: { threads: 2, memoryPattern: false, arena: true, spinning: true },
  memoryMeans: 'vmhwm-of-phase',
};

/** The same object without one of its keys. */
function without(value: object, key: string): object {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

describe('an event', () => {
  it('is accepted as it is', () => {
    expect(eventSchema.parse(started)).toEqual(started);
  });

  it.each(Object.keys(started))('is refused without its %s', (key) => {
    expect(eventSchema.safeParse(without(started, key)).success).toBe(false);
  });

  it.each([
    ['of a kind that is not known', { event: 'telemetry' }],
    ['with a key that is not known', { event: 'finished', extra: 1 }],
    ['of a phase that is not known', { event: 'phase', phase: 'lunch', milliseconds: 1, memory: {} }],
    ['that lasted less than no time', { event: 'phase', phase: 'load', milliseconds: -1, memory: {} }],
    [
      'with a figure of memory that is not known',
      { event: 'phase', phase: 'load', milliseconds: 1, memory: { swapped: 1 } },
    ],
    ['with a latency that JSON cannot express', { event: 'latencies', milliseconds: [null] }],
    ['that is more than done', { event: 'progress', done: 1.5 }],
    ['whose options are not all told', { ...started, session: { threads: 2 } }],
    ['that is a list', [started]],
  ])('is refused %s', (_, event) => {
    expect(eventSchema.safeParse(event).success).toBe(false);
  });
});

describe('a task', () => {
  const task = {
    ...{ kind: 'kernels', protocol: PROTOCOL_VERSION, session: { threads: 1 } },
    ...{ model: 'm.onnx', inputs: 'i.bin', batch: 4, microBatch: 2, runs: 3 },
  };

  it('is accepted as it is', () => {
    expect(taskSchema.parse(task)).toEqual(task);
  });

  it.each(Object.keys(task))('is refused without its %s', (key) => {
    expect(taskSchema.safeParse(without(task, key)).success).toBe(false);
  });

  it.each([
    ['of another version of the protocol', { protocol: PROTOCOL_VERSION + 1 }],
    ['of an empty batch', { batch: 0 }],
    ['with a session option that is not known', { session: { threads: 1, gpu: true } }],
  ])('is refused %s', (_, change) => {
    expect(taskSchema.safeParse({ ...task, ...change }).success).toBe(false);
  });
});

describe('what a measurement yielded', () => {
  const random = seededRandom(5);
  const values = Float32Array.from({ length: 30 }, () => random.normal());
  const part = (first: number, images: number): AgentEvent => {
    const slice = values.subarray(first * 10, (first + images) * 10);
    return { event: 'logits', first, classes: 10, values: base64(slice) };
  };

  it('is all that the events said, in their order', () => {
    const collector = new MeasurementCollector();
    const memory = { resident: 10, peakResident: 12 };
    collector.add(started);
    collector.add({ event: 'phase', phase: 'runtime', milliseconds: 3, memory });
    collector.add({ event: 'phase', phase: 'load', milliseconds: 4, memory: {} });
    collector.add({ event: 'warmedUp', queries: 7, steady: false });
    collector.add({ event: 'latencies', milliseconds: [3, 1] });
    collector.add({ event: 'progress', done: 0.5 });
    collector.add({ event: 'latencies', milliseconds: [2] });
    collector.add(part(0, 2));
    collector.add(part(2, 1));
    const { measurement } = collector;
    expect(measurement.started).toEqual(started);
    expect(measurement.phases).toEqual([
      { phase: 'runtime', milliseconds: 3, memory },
      { phase: 'load', milliseconds: 4, memory: {} },
    ]);
    expect(measurement.warmup).toEqual({ queries: 7, steady: false });
    expect(measurement.latencies).toEqual([3, 1, 2]);
    expect(measurement.logits.map(({ first }) => first)).toEqual([0, 2]);
    expect(measurement.logits.flatMap((each) => [...each.values])).toEqual([...values]);
  });

  it('has room for more latencies than a call has for arguments', () => {
    const collector = new MeasurementCollector();
    collector.add({ event: 'latencies', milliseconds: new Array<number>(300_000).fill(0.01) });
    expect(collector.measurement.latencies).toHaveLength(300_000);
  });

  it('gives each image the class of its largest logit', () => {
    const logits = Float32Array.of(0, 3, 1, -2, -5, -1, 7, 7, 7);
    expect(predictedClasses({ first: 4, classes: 3, values: logits })).toEqual([1, 2, 0]);
  });
});

describe('floats as base64', () => {
  it('are the little-endian bytes of that part of the array alone, infinities and NaN included', () => {
    const values = Float32Array.of(9, 1.5, -0, Infinity, NaN, 9).subarray(1, 5);
    const bytes = Buffer.from(base64(values), 'base64');
    expect(bytes).toHaveLength(16);
    [1.5, -0, Infinity, NaN].forEach((value, index) => expect(bytes.readFloatLE(index * 4)).toBe(value));
  });
});
