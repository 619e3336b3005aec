import { IMAGE_CHANNELS, imageBytes } from '../data/dataset.js';
import type { AgentEvent, Phase } from '../protocol/events.js';
import type {
  AccuracyTask,
  KernelsTask,
  MemoryTask,
  PrepareTask,
  Task,
  TimedTask,
} from '../protocol/task.js';
import {
  defaultSessionOptions,
  type Engine,
  type Session,
  type SessionOptions,
  type Tensor,
} from '../runtime/engine.js';
import { floatInput, floatOutput } from '../runtime/floats.js';
import { identityModel } from '../runtime/identity.js';
import { SteadyStateDetector } from '../stats/steady-state.js';
import { base64 } from './base64.js';
import type { Host } from './host.js';
import { nodeTimes } from './kernels.js';
import { searchRate, serveOffline } from './load.js';
import { queryOf, timedQueries, type Query, type QueryWatch } from './queries.js';

/** Runs under the profiler end here, whatever was asked for: the kernels of a large model are known after two. */
const MOST_PROFILED_MS = 30_000;

/** What a query takes is said by so many of the warm-up's last, */
const TYPICAL_QUERIES = 16;

/** and is no less than this. */
const LEAST_TYPICAL_MS = 0.001;

/** What every kind of task works with. */
interface Bench {
  readonly host: Host;
  readonly engine: Engine;
  readonly session: SessionOptions;
  readonly emit: (event: AgentEvent) => void;
  readonly endPhase: (phase: Phase) => Promise<void>;
  /** Tells what the device is like in a phase, where that can be seen, with the paces of its core since the last time. */
  readonly look: (phase: Phase, paces?: readonly number[]) => void;
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
  const memoryMeans = (await host.memoryMeans()) ?? null;
  const engine = await host.loadEngine();
  const session: SessionOptions = { ...defaultSessionOptions, ...task.session };
  emit({ event: 'started', runtime: engine.info, platform: host.platform, session, memoryMeans });
  await startRuntime(engine, session);
  await endPhase('runtime');
  const look = (phase: Phase, paces: readonly number[] = []): void => {
    if (host.conditions === undefined) return;
    const seen = { ...host.conditions(), ...(paces.length > 0 && { paces: [...paces] }) };
    emit({ event: 'conditions', phase, conditions: seen });
  };
  const bench: Bench = { host, engine, session, emit, endPhase, look };
  switch (task.kind) {
    case 'prepare':
      await prepareInputs(bench, task);
      break;
    case 'performance':
    case 'server':
    case 'offline':
      await measureTimed(bench, task);
      break;
    case 'memory':
      await measureMemory(bench, task);
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
  const { images, indices } = task;
  const inputs = await preprocessed(engine, preprocess, images, pixels, 0, indices.length);
  await host.writeInputs(task.output, inputs.data as Float32Array);
  await endPhase('prepare');
}

async function measureTimed(bench: Bench, task: TimedTask): Promise<void> {
  const { host, emit, endPhase, look } = bench;
  const { session, query } = await firstRun(bench, task);
  const typical = await warmUp(bench, query, task.maxWarmupSeconds);
  look('warmup');
  // It is compiled now, not between timed queries.
  host.pace?.();
  await endPhase('warmup');

  const paces: number[] = [];
  const watch = {
    now: () => host.now(),
    emit,
    look: () => {
      look('steady', paces.splice(0));
    },
    pace: () => {
      if (host.pace) paces.push(host.pace());
    },
  };
  const outputs = await timed(task, query, typical, watch);
  await endPhase('steady');
  // The last timed outputs, so that they can be compared with the accuracy pass.
  emitLogits(outputs, 0, task.batch, emit);
  await session.close();
}

async function measureMemory(bench: Bench, task: MemoryTask): Promise<void> {
  const { host, endPhase } = bench;
  const { session, query } = await firstRun(bench, task);
  const latest = host.now() + task.maxSeconds * 1000;
  for (let run = 0; run === 0 || (run < task.runs && host.now() < latest); run++) await query.run();
  await endPhase('steady');
  await session.close();
}

/** How the model of a task is opened. */
function sessionOf(
  options: SessionOptions,
  { freeDimensions }: Pick<AccuracyTask, 'freeDimensions'>,
): SessionOptions {
  return freeDimensions === undefined ? options : { ...options, freeDimensions };
}

/** Reads the batch, loads the model and runs it for the first time: the phases in which memory is measured. */
async function firstRun(
  { host, engine, session: options, endPhase, look }: Bench,
  task: TimedTask | MemoryTask,
): Promise<{ readonly session: Session; readonly query: Query }> {
  const batch = await host.readInputs(task.inputs);
  look('prepare');
  host.collectGarbage();
  await endPhase('prepare');
  const session = await engine.open(host.modelSource(task.model), sessionOf(options, task));
  await endPhase('load');
  const query = queryOf(session, partsOf(engine, session, batch, task), task.output);
  await query.run();
  await endPhase('first');
  return { session, query };
}

/**
 * Runs queries until the steady state, or until the time is over.
 *
 * @returns what the last of them took on average, in milliseconds
 */
async function warmUp({ host, emit }: Bench, query: Query, maxSeconds: number): Promise<number> {
  const detector = new SteadyStateDetector();
  const begun = host.now();
  const warmupEnd = begun + maxSeconds * 1000;
  const leastEnd = Math.min(warmupEnd, begun + (host.leastWarmup ?? 0));
  const last: number[] = [];
  let queries = 0;
  while ((!detector.steady && host.now() < warmupEnd) || host.now() < leastEnd || queries === 0) {
    const before = host.now();
    await query.run();
    const milliseconds = host.now() - before;
    detector.add(milliseconds);
    last[queries % TYPICAL_QUERIES] = milliseconds;
    queries += 1;
  }
  emit({ event: 'warmedUp', queries, steady: detector.steady });
  // A clock that did not move says that a query takes no longer than its tick.
  return Math.max(last.reduce((sum, each) => sum + each, 0) / last.length, LEAST_TYPICAL_MS);
}

function timed(
  task: TimedTask,
  query: Query,
  typical: number,
  watch: QueryWatch,
): Promise<readonly Tensor[]> {
  switch (task.kind) {
    case 'performance':
      return timedQueries(query, task, watch);
    case 'server':
      return searchRate({ query, typical, sleep, ...watch }, task);
    case 'offline':
      return serveOffline({ query, typical, sleep, ...watch }, task);
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}

async function listKernels(bench: Bench, task: KernelsTask): Promise<void> {
  const { host, engine, emit, endPhase } = bench;
  const batch = await host.readInputs(task.inputs);
  await endPhase('prepare');
  const session = await engine.openProfiled(host.modelSource(task.model), sessionOf(bench.session, task));
  await endPhase('load');
  const query = queryOf(session, partsOf(engine, session, batch, task), task.output);
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
  const session = await engine.open(host.modelSource(task.model), sessionOf(bench.session, task));
  await endPhase('load');
  for (let first = 0; first < task.count; first += task.batch) {
    const images = Math.min(task.batch, task.count - first);
    const indices = Array.from({ length: images }, (_, i) => first + i);
    const pixels = await host.readImages(task.images, indices);
    const parts: Tensor[] = [];
    for (let at = 0; at < images; at += task.microBatch)
      parts.push(
        inputOf(
          engine,
          session,
          await preprocessed(
            engine,
            preprocess,
            task.images,
            pixels,
            at,
            Math.min(task.microBatch, images - at),
          ),
          task,
        ),
      );
    const query = queryOf(session, parts, task.output);
    const before = host.now();
    const results = await query.run();
    emit({ event: 'latencies', milliseconds: [host.now() - before] });
    if (first === 0) {
      look('first');
      await endPhase('first');
    }
    emitLogits(query.outputsOf(results), first, images, emit);
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
  { layout }: AccuracyTask['images'],
  pixels: Uint8Array,
  first: number,
  images: number,
): Promise<Tensor> {
  const size = imageBytes(layout);
  const part = pixels.subarray(first * size, (first + images) * size);
  const input = engine.tensor('uint8', part, [
    images,
    layout.channels ?? IMAGE_CHANNELS,
    layout.height,
    layout.width,
  ]);
  const query = queryOf(session, [input]);
  const [output] = query.outputsOf(await query.run());
  if (output === undefined) throw new Error('the preprocessing gave no output');
  return output;
}

/** A prepared batch in parts of the micro-batch, as tensors over one array where the model takes them so. */
function partsOf(
  engine: Engine,
  session: Session,
  batch: Float32Array,
  task: TimedTask | MemoryTask | KernelsTask,
): Tensor[] {
  const perImage = batch.length / task.batch;
  const side = Math.sqrt(perImage / IMAGE_CHANNELS);
  const { image = [IMAGE_CHANNELS, side, side] } = task;
  const parts: Tensor[] = [];
  for (let at = 0; at < task.batch; at += task.microBatch) {
    const images = Math.min(task.microBatch, task.batch - at);
    const values = batch.subarray(at * perImage, (at + images) * perImage);
    const part = engine.tensor('float32', values, [images, ...image]);
    parts.push(inputOf(engine, session, part, task));
  }
  return parts;
}

/** A part of a batch as a model takes it: filled up with its last image where it takes whole parts alone, and in its own type. */
function inputOf(
  engine: Engine,
  session: Session,
  part: Tensor,
  { microBatch, wholeParts = false }: Pick<AccuracyTask, 'microBatch' | 'wholeParts'>,
): Tensor {
  let values = part.data as Float32Array;
  const [images = 0, ...image] = part.dims;
  const count = wholeParts ? microBatch : images;
  if (count > images) {
    const perImage = values.length / images;
    const filled = new Float32Array(count * perImage);
    filled.set(values);
    for (let at = images; at < count; at++) filled.set(values.subarray(-perImage), at * perImage);
    values = filled;
  }
  return floatInput(engine, session, values, [count, ...image]);
}

/** @param due - how many images there are: what comes behind them was filled up */
function emitLogits(
  outputs: readonly Tensor[],
  first: number,
  due: number,
  emit: (event: AgentEvent) => void,
): void {
  const end = first + due;
  let at = first;
  for (const output of outputs) {
    const [given, classes] = output.dims;
    if (given === undefined || classes === undefined || output.dims.length !== 2)
      throw new Error(`the model gave [${output.dims.join(', ')}] where logits are [images, classes]`);
    const images = Math.min(given, end - at);
    const values = floatOutput(output).subarray(0, images * classes);
    emit({ event: 'logits', first: at, classes, values: base64(values) });
    at += images;
  }
}
