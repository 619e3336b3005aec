// What a lying board's Node says when it is asked to run the agent: a plausible conversation but for its one lie.
/* global Buffer, process -- to import node:process opens its streams, and a pipe that does not block refuses what is long */
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

// Of the one image that is ever asked for, `[1, classes]`.
const truth = JSON.parse(readFileSync(`${process.env.HOME}/logits.json`, 'utf8'));
const lie = process.argv[2];
const say = (event) => writeFileSync(1, `${JSON.stringify(event)}\n`);
const base64 = (values) => Buffer.from(Float32Array.from(values).buffer).toString('base64');
const phase = (name) =>
  say({ event: 'phase', phase: name, milliseconds: 1, memory: { resident: 5e6, peakResident: 6e6 } });
const logits = (values, classes = truth.length) =>
  say({ event: 'logits', first: 0, classes, values: base64(values) });

const does = {
  prepare(task) {
    writeFileSync(task.output, Buffer.alloc(4 * 3 * 32 * 32 * task.indices.length));
    phase('prepare');
  },
  accuracy() {
    phase('load');
    if (lie === 'dup-phase') phase('load');
    if (lie === 'dup-logits') logits(truth);
    if (lie === 'no-image') logits([]);
    if (lie === 'classes') logits([...truth, ...truth], 2 * truth.length);
    else logits(lie === 'nan' ? truth.map(() => NaN) : truth);
    if (lie === 'endless-progress') for (;;) say({ event: 'progress', done: 0.1 });
    if (lie === 'endless-line') for (;;) writeFileSync(1, 'x'.repeat(65536));
  },
  kernels() {
    const node = {
      node: 'n',
      opType: 'MatMul',
      provider: 'CPUExecutionProvider',
      calls: 1,
      milliseconds: [1],
    };
    say({ event: 'kernels', nodes: [node] });
  },
  performance() {
    phase('load');
    phase('first');
    say({ event: 'warmedUp', queries: lie === 'negative' ? -5 : 5, steady: true });
    phase('warmup');
    const milliseconds = { zero: 0, huge: 1e308 }[lie] ?? 10;
    say({ event: 'latencies', milliseconds: Array(64).fill(milliseconds) });
    phase('steady');
    // The same numbers for other classes: a timed model that is not the one that was scored.
    logits(lie === 'other-answers' ? [...truth.slice(1), truth[0]] : truth);
  },
};

createInterface({ input: process.stdin }).once('line', (line) => {
  const task = JSON.parse(line);
  say({
    ...{ event: 'started', platform: 'linux-arm64 node 20', memoryMeans: 'vmhwm-of-phase' },
    runtime: { name: 'onnxruntime-node', version: '1.30.0', provider: 'CPUExecutionProvider' },
    session: { threads: 1, memoryPattern: false, arena: true, spinning: true },
  });
  phase('runtime');
  does[task.kind](task);
  if (lie === 'failed') say({ event: 'failed', reason: '\u001b[2J\u001b]52;c;cm0=\u0007 the board gave up' });
  else say({ event: 'finished' });
  if (lie === 'after-end') phase('prepare');
  process.exit(0);
});
