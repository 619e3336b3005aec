import { closeSync, openSync, writeSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { runTask } from '../src/agent/agent.js';
import { nodeHost } from '../src/agent/node-host.js';
import { packageRoot } from '../src/base/paths.js';
import { seededRandom } from '../src/base/random.js';
import { writeModel } from '../src/onnx/file.js';
import { encodeLine } from '../src/protocol/lines.js';
import { PROTOCOL_VERSION, type PerformanceTask } from '../src/protocol/task.js';
import { buildGraph } from '../src/vit/graph/model.js';
import { loadHuggingFace } from '../src/vit/huggingface.js';
import { compare } from './interleave.js';

const THREADS = 2;
const WARMUP_MS = 1000;
const TIMED_MS = 2000;
const ROUNDS = 12;

/**
 * What the agent adds to a loop around `session.run` that is written by hand, in the same process: the built-in model, whose
 * queries are so short that anything would show. Latency is what each query is reported to take; the whole is the time from
 * query to query, in which the agent also keeps and reports its samples.
 */
export async function harnessCost(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'edgeflex-bench-'));
  try {
    const model = join(folder, 'model.onnx');
    const vit = await loadHuggingFace(join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10'));
    await writeModel(buildGraph(vit), model);
    const { channels, imageSize } = vit.config;
    for (const batch of [1, 8]) {
      const random = seededRandom(1);
      const images = Float32Array.from({ length: batch * channels * imageSize ** 2 }, () => random.uniform());
      const inputs = join(folder, `${batch}.bin`);
      await writeFile(inputs, images);
      const dims = [batch, channels, imageSize, imageSize];
      const byHand = (): Promise<Timed> => handWritten(model, images, dims);
      const byAgent = (): Promise<Timed> => agent({ model, inputs, batch });
      console.log(`  latency, batch ${batch}`);
      await compare(
        [
          { name: 'by hand', measure: async () => (await byHand()).latencies },
          { name: 'agent', measure: async () => (await byAgent()).latencies },
        ],
        ROUNDS,
      );
      console.log(`  from query to query, batch ${batch}`);
      await compare(
        [
          { name: 'by hand', measure: async () => [(await byHand()).perQuery] },
          { name: 'agent', measure: async () => [(await byAgent()).perQuery] },
        ],
        ROUNDS,
      );
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Timed {
  readonly latencies: readonly number[];
  /** Milliseconds from query to query. */
  readonly perQuery: number;
}

async function handWritten(model: string, images: Float32Array, dims: readonly number[]): Promise<Timed> {
  const session = await ort.InferenceSession.create(model, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: THREADS,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
  });
  const feeds = { pixel_values: new ort.Tensor('float32', images, dims) };
  const warm = performance.now() + WARMUP_MS;
  while (performance.now() < warm) await session.run(feeds);
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + TIMED_MS;
  let after = begin;
  while (after < end) {
    const before = performance.now();
    await session.run(feeds);
    after = performance.now();
    latencies.push(after - before);
  }
  await session.release();
  return { latencies, perQuery: (after - begin) / latencies.length };
}

async function agent(files: Pick<PerformanceTask, 'model' | 'inputs' | 'batch'>): Promise<Timed> {
  const latencies: number[] = [];
  let steady = 0;
  // The real agent writes every event to a pipe: what that costs belongs to it.
  const sink = openSync('/dev/null', 'w');
  const task: PerformanceTask = {
    kind: 'performance',
    protocol: PROTOCOL_VERSION,
    session: { threads: THREADS },
    ...files,
    microBatch: files.batch,
    minQueries: 1,
    minSeconds: TIMED_MS / 1000,
    maxSeconds: (2 * TIMED_MS) / 1000,
    maxWarmupSeconds: WARMUP_MS / 1000,
  };
  await runTask(nodeHost, task, (event) => {
    writeSync(sink, encodeLine(event));
    if (event.event === 'latencies') for (const each of event.milliseconds) latencies.push(each);
    if (event.event === 'phase' && event.phase === 'steady') steady = event.milliseconds;
  });
  closeSync(sink);
  return { latencies, perQuery: steady / latencies.length };
}
