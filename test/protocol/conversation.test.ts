import { describe, expect, it } from 'vitest';
import { cifarLayout } from '../../src/data/dataset.js';
import { base64 } from '../../src/agent/base64.js';
import { ConversationCheck, News } from '../../src/protocol/conversation.js';
import { ProtocolError } from '../../src/protocol/protocol-error.js';
import { eventSchema, type AgentEvent, type Phase } from '../../src/protocol/events.js';
import type { Task } from '../../src/protocol/task.js';
import { taskBase } from '../support/tasks.js';

const CLASSES = 3;

const images = { layout: cifarLayout, files: [{ path: 'test.bin', records: 4 }] };

const tasks = {
  prepare: { kind: 'prepare', ...taskBase, preprocess: 'p.onnx', images, indices: [0, 1], output: 'i.bin' },
  accuracy: {
    ...{ kind: 'accuracy', ...taskBase, model: 'm.onnx', batch: 2, microBatch: 2 },
    ...{ preprocess: 'p.onnx', images, count: 4 },
  },
  kernels: {
    kind: 'kernels',
    ...taskBase,
    model: 'm.onnx',
    batch: 2,
    microBatch: 2,
    inputs: 'i.bin',
    runs: 3,
  },
  placement: { kind: 'placement', ...taskBase },
  performance: {
    ...{ kind: 'performance', ...taskBase, model: 'm.onnx', batch: 2, microBatch: 2, inputs: 'i.bin' },
    ...{ minQueries: 1, minSeconds: 1, maxSeconds: 2, maxWarmupSeconds: 1 },
  },
  server: {
    ...{ kind: 'server', ...taskBase, model: 'm.onnx', batch: 2, microBatch: 2, inputs: 'i.bin' },
    ...{ arrivals: Array.from({ length: 120 }, (_, query) => query + 1), queries: 100, p99: 9 },
    ...{ maxSeconds: 2, maxWarmupSeconds: 1 },
  },
  offline: {
    ...{ kind: 'offline', ...taskBase, model: 'm.onnx', batch: 2, microBatch: 2, inputs: 'i.bin' },
    ...{ minQueries: 1, minSeconds: 1, maxSeconds: 2, maxWarmupSeconds: 1 },
  },
} satisfies Record<string, Task>;

const started: AgentEvent = {
  ...{ event: 'started', platform: 'linux-arm64 node 20', memoryMeans: 'vmhwm-of-phase' },
  runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
  session: { threads: 1, memoryPattern: false, arena: true, spinning: true },
};

const phase = (name: Phase, changes: object = {}): AgentEvent => ({
  event: 'phase',
  phase: name,
  milliseconds: 1,
  memory: { resident: 1000 },
  ...changes,
});

const logits = (first: number, count: number, classes = CLASSES): AgentEvent => ({
  ...{ event: 'logits', first, classes, values: base64(new Float32Array(count * classes)) },
});

const latencies = (...milliseconds: number[]): AgentEvent => ({ event: 'latencies', milliseconds });
/** Queries of which each is served within a millisecond of its arrival; at a rate of 100 a second the schedule has one each 10 ms. */
const served = (...scheduled: number[]): AgentEvent => ({
  ...{ event: 'served', scheduled, started: scheduled },
  ended: scheduled.map((arrival) => arrival + 1),
});
const trial = (rate: number | null, planned: number): AgentEvent => ({ event: 'trial', rate, planned });
const atOnce: AgentEvent = { event: 'served', scheduled: [0, 0], started: [0, 2], ended: [2, 4] };
const progress = (done: number): AgentEvent => ({ event: 'progress', done });
const placement = (...nanoseconds: number[]): AgentEvent => ({ event: 'placement', nanoseconds });
const finished: AgentEvent = { event: 'finished' };

const kernels = (changes: object = {}): AgentEvent => ({
  event: 'kernels',
  nodes: [
    {
      node: 'n',
      opType: 'MatMul',
      provider: 'CPUExecutionProvider',
      calls: 1,
      milliseconds: [1],
      ...changes,
    },
  ],
});

/** What an agent says that does its task. */
const honest: Record<keyof typeof tasks, AgentEvent[]> = {
  placement: [placement(50), finished],
  prepare: [started, phase('runtime'), phase('prepare'), finished],
  accuracy: [
    ...[started, phase('runtime'), phase('prepare'), phase('load'), latencies(2), phase('first')],
    ...[logits(0, 2), progress(0.5), latencies(2), logits(2, 2), progress(1), phase('steady'), finished],
  ],
  kernels: [
    ...[started, phase('runtime'), phase('prepare'), phase('load'), kernels(), phase('steady'), finished],
  ],
  performance: [
    ...[started, phase('runtime'), phase('prepare'), phase('load'), phase('first')],
    ...[{ event: 'warmedUp', queries: 0, steady: true } as const, phase('warmup')],
    ...[latencies(2, 3), progress(0.5), latencies(1), progress(1), phase('steady'), logits(0, 2), finished],
  ],
  server: [
    ...[started, phase('runtime'), phase('prepare'), phase('load'), phase('first')],
    ...[{ event: 'warmedUp', queries: 2, steady: true } as const, phase('warmup')],
    ...[served(10, 20), served(30), trial(100, 120), progress(0.5), served(5, 10), trial(200, 120)],
    ...[phase('steady'), logits(0, 2), finished],
  ],
  offline: [
    ...[started, phase('runtime'), phase('prepare'), phase('load'), phase('first')],
    ...[{ event: 'warmedUp', queries: 2, steady: true } as const, phase('warmup')],
    ...[atOnce, trial(null, 7), phase('steady'), logits(0, 2), finished],
  ],
};

/** Hears a whole conversation. */
function hear(task: keyof typeof tasks, events: readonly AgentEvent[]): void {
  const check = new ConversationCheck(tasks[task], CLASSES);
  for (const event of events) check.hear(event);
  check.end();
}

/** The honest conversation with one event replaced, or with others after it. */
function changed(task: keyof typeof tasks, at: AgentEvent, ...by: AgentEvent[]): AgentEvent[] {
  const index = honest[task].findIndex((event) => JSON.stringify(event) === JSON.stringify(at));
  expect(index).toBeGreaterThanOrEqual(0);
  return honest[task].toSpliced(index, 1, ...by);
}

describe('what an agent says', () => {
  it.each(Object.keys(honest) as (keyof typeof tasks)[])(
    'is let through when it does its task: %s',
    (task) => {
      for (const event of honest[task]) expect(eventSchema.safeParse(event).success).toBe(true);
      expect(() => {
        hear(task, honest[task]);
      }).not.toThrow();
    },
  );

  it.each<[string, keyof typeof tasks, AgentEvent[], string]>([
    [
      'a phase twice',
      'accuracy',
      changed('accuracy', phase('load'), phase('load'), phase('load')),
      '"load" twice',
    ],
    [
      'phases out of order',
      'performance',
      changed('performance', phase('first'), phase('warmup'), phase('first')),
      '"first" after "warmup"',
    ],
    [
      'a phase that its task has not',
      'prepare',
      changed('prepare', phase('prepare'), phase('load')),
      '"load"',
    ],
    [
      'no phase that figures need',
      'performance',
      changed('performance', phase('load')),
      '"load" never ended',
    ],
    [
      'arrivals that are not those of the schedule',
      'server',
      changed('server', served(30), served(31)),
      'query 2 arrived after 31 ms where the schedule has 30 ms',
    ],
    [
      'a query that began before it arrived',
      'server',
      changed('server', served(30), { event: 'served', scheduled: [30], started: [29], ended: [31] }),
      '1 ms before it arrived',
    ],
    [
      'two queries at a time',
      'offline',
      changed('offline', atOnce, { event: 'served', scheduled: [0, 0], started: [0, 1], ended: [2, 4] }),
      'before the one before it had ended',
    ],
    [
      'a query that took no time',
      'offline',
      changed('offline', atOnce, { event: 'served', scheduled: [0], started: [1], ended: [1] }),
      'took 0 ms',
    ],
    [
      'lists of other lengths',
      'offline',
      changed('offline', atOnce, { event: 'served', scheduled: [0], started: [1, 2], ended: [1] }),
      '1 arrivals, 2 starts and 1 ends',
    ],
    ['queries of no trial', 'server', changed('server', trial(200, 120)), '2 queries of a trial that never'],
    ['no trial', 'offline', changed('offline', atOnce).filter(({ event }) => event !== 'trial'), 'no load'],
    ['a trial without a query', 'offline', changed('offline', atOnce), 'without a query'],
    ['two trials offline', 'offline', changed('offline', atOnce, atOnce, trial(null, 7), atOnce), 'trial 2'],
    ['a rate where there is none', 'offline', changed('offline', trial(null, 7), trial(3, 7)), 'a rate of 3'],
    ['no rate where there is one', 'server', changed('server', trial(100, 120), trial(null, 120)), 'rate'],
    [
      'trials of different lengths',
      'server',
      changed('server', trial(200, 120), trial(200, 110)),
      '110 queries where others have 120',
    ],
    ['trials of a few queries', 'server', changed('server', trial(100, 120), trial(100, 9)), '9 queries'],
    ['latencies beside a load', 'server', changed('server', served(30), latencies(1)), 'latencies'],
    ['a load beside latencies', 'performance', changed('performance', latencies(1), atOnce), '"served"'],
    ['something before it began', 'kernels', [phase('runtime'), ...honest.kernels], 'before "started"'],
    ['twice that it began', 'kernels', [started, ...honest.kernels], '"started" twice'],
    ['no placement', 'placement', [finished], 'how far its cores are apart'],
    ['a placement twice', 'placement', [placement(50), ...honest.placement], 'nobody asked for'],
    ['a placement of no task that asks for it', 'kernels', [started, placement(50)], 'nobody asked for'],
    ['cores that are hours apart', 'placement', [placement(1e18), finished], 'a latency in ns'],
    ['a runtime that nobody asked for', 'placement', [started, ...honest.placement], 'no runtime'],
    [
      'processor time that nobody has',
      'prepare',
      changed('prepare', phase('prepare'), phase('prepare', { cpuMilliseconds: 1e300 })),
      'processor time of the phase "prepare"',
    ],
    ['something after the end', 'kernels', [...honest.kernels, progress(1)], 'after the end'],
    ['the end twice', 'kernels', [...honest.kernels, finished], 'after the end'],
    ['latencies of no time', 'performance', changed('performance', latencies(1), latencies(0)), 'of 0'],
    [
      'latencies without bounds',
      'performance',
      changed('performance', latencies(1), latencies(1e308)),
      '1e+308',
    ],
    ['latencies before the warm-up', 'performance', [started, latencies(1)], 'before the end'],
    [
      'latencies after the end of timing',
      'performance',
      changed('performance', logits(0, 2), latencies(1), logits(0, 2)),
      'after the phase "steady"',
    ],
    [
      'no latencies',
      'performance',
      honest.performance.filter(({ event }) => event !== 'latencies'),
      'timed no query',
    ],
    [
      'a phase without bounds',
      'kernels',
      changed('kernels', phase('load'), phase('load', { milliseconds: 1e300 })),
      '1e+300',
    ],
    [
      'more memory than there is',
      'kernels',
      changed('kernels', phase('load'), phase('load', { memory: { resident: 1e300 } })),
      'resident of 1e+300',
    ],
    [
      'fewer than no queries',
      'performance',
      changed(
        'performance',
        { event: 'warmedUp', queries: 0, steady: true },
        { event: 'warmedUp', queries: -5, steady: true },
      ),
      '-5',
    ],
    ['logits of no image', 'accuracy', changed('accuracy', logits(0, 2), logits(0, 0)), 'of no image'],
    ['logits of other images', 'accuracy', changed('accuracy', logits(2, 2), logits(1, 2)), 'of image 1'],
    ['logits of an image again', 'accuracy', changed('accuracy', logits(2, 2), logits(0, 2)), 'of image 0'],
    ['logits of other classes', 'accuracy', changed('accuracy', logits(0, 2), logits(0, 1, 6)), '6 classes'],
    ['logits of too many images', 'accuracy', changed('accuracy', logits(2, 2), logits(2, 3)), '5 images'],
    ['logits of too few images', 'accuracy', changed('accuracy', logits(2, 2), logits(2, 1)), '3 images'],
    [
      'logits in another task',
      'kernels',
      changed('kernels', kernels(), logits(0, 2), kernels()),
      'nobody asked',
    ],
    ['kernels in another task', 'accuracy', changed('accuracy', progress(1), kernels()), 'nobody asked'],
    ['kernels twice', 'kernels', changed('kernels', kernels(), kernels(), kernels()), 'nobody asked'],
    ['no kernel', 'kernels', changed('kernels', kernels(), { event: 'kernels', nodes: [] }), 'nodes of 0'],
    [
      'kernels without bounds',
      'kernels',
      changed('kernels', kernels(), kernels({ milliseconds: [1e308] })),
      '1e+308',
    ],
    ['progress backwards', 'accuracy', changed('accuracy', progress(1), progress(0.2)), '0.2 after 0.5'],
  ])('is refused when it says %s', (_, task, events, words) => {
    const hearing = (): void => {
      hear(task, events);
    };
    expect(hearing).toThrow(ProtocolError);
    expect(hearing).toThrow(words);
  });

  it.each(Object.keys(tasks) as (keyof typeof tasks)[])(
    'is refused when it has no end, before much of it was heard: %s',
    (task) => {
      const check = new ConversationCheck(tasks[task], CLASSES);
      if (task !== 'placement') check.hear(started);
      expect(() => {
        for (let i = 0; i < 10_000; i++) check.hear(progress(0));
      }).toThrow(/more than \d+ events/);
    },
  );

  it('may be as much as an agent has to say of many images, one by one', () => {
    const count = 50_000;
    const check = new ConversationCheck({ ...tasks.accuracy, batch: 1, microBatch: 1, count }, CLASSES);
    for (const event of honest.accuracy.slice(0, 4)) check.hear(event);
    for (let image = 0; image < count; image++)
      for (const event of [latencies(2), logits(image, 1), progress(image / count)]) check.hear(event);
    check.hear(phase('steady'));
    check.hear(finished);
    expect(() => {
      check.end();
    }).not.toThrow();
  });
});

describe('news', () => {
  it('is no progress that was told before', () => {
    const news = new News();
    const told = [progress(0), progress(0.1), progress(0.1), phase('load'), progress(0.1), progress(0.2)];
    expect(told.map((event) => news.isNew(event))).toEqual([true, true, false, true, false, true]);
  });
});
