import fc from 'fast-check';
import { DeviceError } from '../../../src/base/errors.js';
import { findingsOf } from '../../../src/device/ssh/findings.js';
import { factsOf } from '../../../src/device/ssh/probe.js';
import { clustersOf, processorName } from '../../../src/device/ssh/processor.js';
import { ConversationCheck } from '../../../src/protocol/conversation.js';
import { ProtocolError } from '../../../src/protocol/protocol-error.js';
import { eventSchema, type AgentEvent } from '../../../src/protocol/events.js';
import { decodeLine, decodeLines } from '../../../src/protocol/lines.js';
import { MeasurementCollector, predictedClasses } from '../../../src/protocol/measurement.js';
import type { Task } from '../../../src/protocol/task.js';
import { damagedBytes } from '../generate/bytes.js';
import { damagedJson, damagedValue, textOf } from '../generate/json.js';
import { defineParser, type Parser } from '../parser.js';

const started: AgentEvent = {
  event: 'started',
  runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'cpu' },
  platform: 'linux arm64',
  session: { threads: 1, memoryPattern: true, arena: true, spinning: true, profile: false } as never,
  memoryMeans: 'vmhwm-of-phase',
};
const phase = (name: string): object => ({
  event: 'phase',
  phase: name,
  milliseconds: 2,
  memory: { resident: 9 },
});
const logits = { event: 'logits', first: 0, classes: 2, values: 'AAAAAAAAgD8=' };
const events: readonly object[] = [
  ...[started, phase('runtime'), phase('prepare'), phase('load'), phase('first')],
  { event: 'conditions', phase: 'load', conditions: {} },
  { event: 'progress', done: 0.5 },
  { event: 'warmedUp', queries: 3, steady: true },
  ...[phase('warmup'), { event: 'latencies', milliseconds: [1, 2, 3] }, phase('steady'), logits],
  {
    event: 'kernels',
    nodes: [
      { node: 'a', opType: 'MatMul', provider: 'cpu', calls: 1, milliseconds: [1], gpuMilliseconds: [1] },
    ],
  },
  { event: 'served', scheduled: [1, 2], started: [1, 3], ended: [3, 4] },
  { event: 'trial', rate: 1000, planned: 100 },
  ...[{ event: 'finished' }, { event: 'failed', reason: 'out of memory', unsupported: false }],
];

const session = {
  ...{ model: 'm.onnx', threads: 1, session: { memoryPattern: true, arena: true, spinning: true } },
  ...{ preprocess: 'p.onnx', images: { files: [] }, inputs: 'i', batch: 1, microBatch: 1 },
};
const tasks = (['prepare', 'accuracy', 'kernels', 'performance', 'server', 'offline'] as const).map(
  // The check looks at the kind and at how many images are due.
  (kind) => ({ ...session, kind, count: 1, indices: [0], output: 'o', arrivals: [1, 2] }) as unknown as Task,
);

/** Which of the events, in which order, each perhaps damaged. */
const said = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...events).map((event) => JSON.stringify(event)) },
    { weight: 1, arbitrary: damagedValue(...events).map(textOf) },
  ),
  { maxLength: 20 },
);

/** All events in their order, some left out, repeated or damaged. */
const inOrder = fc
  .array(
    fc.tuple(fc.constantFrom('drop', 'twice', 'damage'), fc.nat(events.length - 1), damagedValue(...events)),
    {
      maxLength: 4,
    },
  )
  .map((changes) => {
    const lines = events.map((event) => [JSON.stringify(event)]);
    for (const [what, at, value] of changes)
      lines[at] = what === 'drop' ? [] : what === 'twice' ? [...lines[at]!, ...lines[at]!] : [textOf(value)];
    return lines.flat();
  });

const probeText = `system\tLinux\taarch64\t6.1
board\tRaspberry Pi 5
distribution\tDebian
libc\tglibc 2.36
cpuinfo\tprocessor : 0
cpuinfo\tCPU implementer : 0x41
cpuinfo\tCPU part : 0xd0b
cpuinfo\tFeatures : fp asimd asimddp
frequency\tcpu0\t2400000\t2400000\tperformance
usable\t4
quota\t200000 100000
memory\tMemTotal\t8000000
memory\tMemAvailable\t4000000
load\t0.5 0.4 0.3
disk\t1000000\twritable\t/home/pi
thermal\tcpu\t50000
throttled\tthrottled=0x50000
cooling\tcpufreq-cpu0\t0
node\t/usr/bin/node\tv20.19.0
`;

/** Errors that a reader of an agent's lines documents: of one class, not of any. */
function isOfProtocol(error: unknown): boolean {
  return (
    error instanceof ProtocolError ||
    (error instanceof Error &&
      error.constructor === Error &&
      /^(not a message|a message of more)/.test(error.message))
  );
}

async function* inChunks(text: string, size: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += size) yield await Promise.resolve(text.slice(at, at + size));
}

/** What comes from an agent or a board. */
export const agent: readonly Parser[] = [
  defineParser({
    name: 'agent-line',
    documents: isOfProtocol,
    inputs: damagedJson(...events),
    prepare: () => Promise.resolve((bytes: Buffer) => decodeLine(eventSchema, bytes.toString('utf8'))),
  }),
  defineParser({
    name: 'conversation',
    documents: isOfProtocol,
    inputs: fc.record({
      task: fc.constantFrom(...tasks),
      lines: fc.oneof(said, inOrder),
      chunk: fc.integer({ min: 1, max: 5000 }),
    }),
    prepare: () =>
      Promise.resolve(async ({ task, lines, chunk }: { task: Task; lines: string[]; chunk: number }) => {
        const check = new ConversationCheck(task);
        const collector = new MeasurementCollector();
        for await (const event of decodeLines(eventSchema, inChunks(lines.join('\n'), chunk))) {
          check.hear(event);
          collector.add(event);
        }
        check.end();
        const { logits: found, latencies } = collector.measurement;
        for (const each of found) {
          const classes = predictedClasses(each);
          if (classes.some((predicted) => predicted < 0 || predicted >= each.classes))
            throw new TypeError('accepted logits that have no largest one');
        }
        if (latencies.some((each) => !(each > 0))) throw new TypeError('accepted a latency of nothing');
      }),
  }),
  defineParser({
    name: 'board-probe',
    documents: (error) => error instanceof DeviceError,
    inputs: fc.oneof(
      { weight: 5, arbitrary: damagedBytes(Buffer.from(probeText)) },
      {
        weight: 1,
        arbitrary: fc
          .tuple(fc.constantFrom(...probeText.trim().split('\n')), fc.integer({ min: 1, max: 30_000 }))
          .map(([line, count]) => Buffer.from(probeText + `${line}\n`.repeat(count))),
      },
    ),
    prepare: () =>
      Promise.resolve((bytes: Buffer) => {
        const facts = factsOf(bytes.toString('utf8'));
        clustersOf(facts);
        processorName(facts);
        findingsOf(facts, { kind: 'ssh', name: 'a', host: 'b', folder: 'c', restart: 1 } as never);
      }),
  }),
];
