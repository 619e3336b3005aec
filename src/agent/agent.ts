import { IMAGE_BYTES, IMAGE_CHANNELS, IMAGE_SIDE } from '../data/dataset.js';
import type { AgentEvent, Phase } from '../protocol/events.js';
import type { AccuracyTask, KernelsTask, PerformanceTask, PrepareTask, Task } from '../protocol/task.js';
import {
  defaultSessionOptions,
  type Engine,
  type Session,
  type SessionOptions,
  type Tensor,
} from '../runtime/engine.js';
import { identityModel } from '../runtime/identity.js';
import { SteadyStateDetector } from '../stats/steady-state.js';
import { base64 } from './base64.js';
import type { Host } from './host.js';
import { nodeTimes } from './kernels.js';
import { queryOf, timedQueries } from './queries.js';

/** Runs under the profiler end here, whatever was asked for: the kernels of a large model are known after two. */
const MOST_PROFILED_MS = 30_000;

/** What every kind of task works with. */
interface Bench {
  readonly host: Host;
  readonly engine: Engine;
  readonly session: SessionOptions;
  readonly emit: (event: AgentEvent) => void;
  readonly endPhase: (phase: Phase) => Promise<void>;
  /** Tells what the device is like in a phase, where that can be seen. */
  readonly look: (phase: Phase) => void;
}

/**
 * Does one task: the same code on every device.
 *
 * Each phase ends with its duration and its memory. The runtime's base is what is resident before `load`: the runtime has
 * opened and run a model of one node, so that what it builds once for every process is not charged to the model.
 *
 * @param host - the device
 * @param task - what to do
 * @param emit - receives the events
 * @throws Error with the runtime's message when the model cannot be loaded or run
 */
export async function runTask(host: Host, task: Task, emit: (event: AgentEvent) => void): Promise<void> {
  if (task.kind === 'placement') {
    emit({ event: 'placement', nanoseconds: [...((await host.coreLatencies?.()) ?? [])] });
    emit({ event: 'finished' });
    return;
  }
  let started = 0;
  let worked = host.cpuTime?.() ?? 0;
  const endPhase = async (phase: Phase): Promise<void> => {
    const milliseconds = host.now() - started;
    const work = host.cpuTime?.();
    const memory = await host.memory();
    emit({
      event: 'phase',
      phase,
      milliseconds,
      ...(work !== undefined && { cpuMilliseconds: work - worked }),
      memory,
    });
    host.resetPeak();
    started = host.now();
    worked = host.cpuTime?.() ?? 0;
  };
  const peakIsOfPhase = host.resetPeak();
  const engine = await host.loadEngine();
  const session: SessionOptions = { ...defaultSessionOptions, ...task.session };
  emit({ event: 'started', runtime: engine.info, platform: host.platform, session, peakIsOfPhase });
  await startRuntime(engine, session);
  await endPhase('runtime');
  const look = (phase: Phase): void => {
    if (host.conditions) emit({ event: 'conditions', phase, conditions: host.conditions() });
  };
  const bench: Bench = { host, engine, session, emit, endPhase, look };
  switch (task.kind) {
    case 'prepare':
      await prepareInputs(bench, task);
      break;
    case 'performance':
      await measurePerformance(bench, task);
      break;
    case 'kernels':
      await listKernels(bench, task);
      break;
    case 'accuracy':
      await measureAccuracy(bench, task);
      break;
  }
  emit({ event: 'finished' });
}

async function startRuntime(engine: Engine, options: SessionOptions): Promise<void> {
  const session = await engine.open(identityModel(), options);
  await queryOf(session, [engine.tensor('float32', new Float32Array(1), [1])]).run();
  await session.close();
}

async function prepareInputs({ host, engine, session, endPhase }: Bench, task: PrepareTask): Promise<void> {
  const pixels = await host.readImages(task.images, task.indices);
  const preprocess = await engine.openOnProcessor(host.modelSource(task.preprocess), session);
  const inputs = await preprocessed(engine, preprocess, pixels, 0, task.indices.length);
  await host.writeInputs(task.output, inputs.data as Float32Array);
  await endPhase('prepare');
}

async function measurePerformance(bench: Bench, task: PerformanceTask): Promise<void> {
  const { host, engine, emit, endPhase, look } = bench;
  const batch = await host.readInputs(task.inputs);
  look('prepare');
  host.collectGarbage();
  await endPhase('prepare');

  const session = await engine.open(host.modelSource(task.model), bench.session);
  await endPhase('load');
  const query = queryOf(session, partsOf(engine, batch, task));
  await query.run();
  await endPhase('first');

  const detector = new SteadyStateDetector();
  const begun = host.now();
  const warmupEnd = begun + task.maxWarmupSeconds * 1000;
  const leastEnd = Math.min(warmupEnd, begun + (host.leastWarmup ?? 0));
  let queries = 0;
  while ((!detector.steady && host.now() < warmupEnd) || host.now() < leastEnd) {
    const before = host.now();
    await query.run();
    detector.add(host.now() - before);
    queries += 1;
  }
  emit({ event: 'warmedUp', queries, steady: detector.steady });
  look('warmup');
  await endPhase('warmup');

  const outputs = await timedQueries(query, task, {
    now: () => host.now(),
    emit,
    look: () => {
      look('steady');
    },
  });
  await endPhase('steady');
  // The last timed outputs, so that they can be compared with the accuracy pass.
  emitLogits(outputs, 0, emit);
  await session.close();
}

async function listKernels(bench: Bench, task: KernelsTask): Promise<void> {
  const { host, engine, emit, endPhase } = bench;
  const batch = await host.readInputs(task.inputs);
  await endPhase('prepare');
  const session = await engine.openProfiled(host.modelSource(task.model), bench.session);
  await endPhase('load');
  const query = queryOf(session, partsOf(engine, batch, task));
  const started = host.now();
  // The first one does not count.
  let queries = 0;
  while (queries < 2 || (queries <= task.runs && host.now() - started < MOST_PROFILED_MS)) {
    await query.run();
    queries += 1;
  }
  emit({ event: 'kernels', nodes: nodeTimes(await session.calls(), queries) });
  await endPhase('steady');
  await session.close();
}

async function measureAccuracy(bench: Bench, task: AccuracyTask): Promise<void> {
  const { host, engine, emit, endPhase, look } = bench;
  const preprocess = await engine.openOnProcessor(host.modelSource(task.preprocess), bench.session);
  look('prepare');
  await endPhase('prepare');
  const session = await engine.open(host.modelSource(task.model), bench.session);
  await endPhase('load');
  for (let first = 0; first < task.count; first += task.batch) {
    const images = Math.min(task.batch, task.count - first);
    const indices = Array.from({ length: images }, (_, i) => first + i);
    const pixels = await host.readImages(task.images, indices);
    const parts: Tensor[] = [];
    for (let at = 0; at < images; at += task.microBatch)
      parts.push(await preprocessed(engine, preprocess, pixels, at, Math.min(task.microBatch, images - at)));
    const query = queryOf(session, parts);
    const before = host.now();
    const results = await query.run();
    emit({ event: 'latencies', milliseconds: [host.now() - before] });
    if (first === 0) {
      look('first');
      await endPhase('first');
    }
    emitLogits(query.outputsOf(results), first, emit);
    emit({ event: 'progress', done: (first + images) / task.count });
  }
  look('steady');
  await endPhase('steady');
  await preprocess.close();
  await session.close();
}

async function preprocessed(
  engine: Engine,
  session: Session,
  pixels: Uint8Array,
  first: number,
  images: number,
): Promise<Tensor> {
  const part = pixels.subarray(first * IMAGE_BYTES, (first + images) * IMAGE_BYTES);
  const input = engine.tensor('uint8', part, [images, IMAGE_CHANNELS, IMAGE_SIDE, IMAGE_SIDE]);
  const query = queryOf(session, [input]);
  const [output] = query.outputsOf(await query.run());
  if (output === undefined) throw new Error('the preprocessing gave no output');
  return output;
}

/** A prepared batch in parts of the micro-batch, as tensors over one array. */
function partsOf(engine: Engine, batch: Float32Array, task: PerformanceTask | KernelsTask): Tensor[] {
  const perImage = batch.length / task.batch;
  const side = Math.sqrt(perImage / IMAGE_CHANNELS);
  const parts: Tensor[] = [];
  for (let at = 0; at < task.batch; at += task.microBatch) {
    const images = Math.min(task.microBatch, task.batch - at);
    const values = batch.subarray(at * perImage, (at + images) * perImage);
    parts.push(engine.tensor('float32', values, [images, IMAGE_CHANNELS, side, side]));
  }
  return parts;
}

function emitLogits(outputs: readonly Tensor[], first: number, emit: (event: AgentEvent) => void): void {
  let at = first;
  for (const output of outputs) {
    const [images, classes] = output.dims as [number, number];
    emit({ event: 'logits', first: at, classes, values: base64(output.data as Float32Array) });
    at += images;
  }
}
