import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { LinuxConditions } from '../src/agent/linux-conditions.js';
import { Pace } from '../src/agent/pace.js';
import { queryOf, timedQueries } from '../src/agent/queries.js';
import { packageRoot } from '../src/base/paths.js';
import { seededRandom } from '../src/base/random.js';
import { serializeModel } from '../src/onnx/file.js';
import type { AgentEvent } from '../src/protocol/events.js';
import { encodeLine } from '../src/protocol/lines.js';
import { buildGraph } from '../src/vit/graph/model.js';
import { loadCheckpoint } from '../src/vit/checkpoints/load.js';
import { compare } from './interleave.js';

/** Long enough for the agent to report and to look at the machine in between, as it does every second. */
const TURN_SECONDS = 2;
const TURNS = 20;

/**
 * What the agent adds to a loop around `session.run` that is written by hand, on the same session in the same process: the
 * built-in model, whose queries are so short that anything would show. Latency is what a query is reported to take; the
 * whole is the time from query to query, in which the agent also keeps its samples, writes them out and looks at the machine.
 */
export async function harnessCost(): Promise<void> {
  const model = join(packageRoot(), 'suites', 'models', 'vit-micro-shapes10');
  const { vit } = await loadCheckpoint(join(model, 'model.safetensors'), join(model, 'config.json'));
  const { channels, imageSize } = vit.config;
  const session = await ort.InferenceSession.create(await serializeModel(buildGraph(vit)), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: 3,
  });
  const random = seededRandom(1);
  for (const batch of [1, 8]) {
    const dims = [batch, channels, imageSize.height, imageSize.width];
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => random.uniform());
    const images = new ort.Tensor('float32', values, dims);
    const turns = new Map<string, number[]>([
      ['by hand', []],
      ['agent', []],
    ]);
    const turn = (name: string, measure: () => Promise<Turn>) => ({
      name,
      measure: async (): Promise<readonly number[]> => {
        const { latencies, milliseconds } = await measure();
        turns.get(name)!.push(milliseconds / latencies.length);
        return latencies;
      },
    });
    console.log(`  latency of a query, batch ${batch}`);
    await compare(
      [turn('by hand', () => byHand(session, images)), turn('agent', () => byAgent(session, images))],
      TURNS,
    );
    console.log(`  from query to query, batch ${batch}`);
    await compare(
      [...turns].map(([name, means]) => ({ name, measure: () => Promise.resolve([means.shift()!]) })),
      TURNS,
    );
  }
  await session.release();
}

interface Turn {
  readonly latencies: readonly number[];
  readonly milliseconds: number;
}

async function byHand(session: ort.InferenceSession, images: ort.Tensor): Promise<Turn> {
  const feeds = { pixel_values: images };
  const latencies: number[] = [];
  const begin = performance.now();
  const end = begin + TURN_SECONDS * 1000;
  let after = begin;
  while (after < end) {
    const before = performance.now();
    await session.run(feeds);
    after = performance.now();
    latencies.push(after - before);
  }
  return { latencies, milliseconds: after - begin };
}

async function byAgent(session: ort.InferenceSession, images: ort.Tensor): Promise<Turn> {
  const latencies: number[] = [];
  // The real agent writes its events to a pipe: encoding and writing them belongs to what it costs.
  const sink = openSync('/dev/null', 'w');
  const query = queryOf(
    {
      inputNames: session.inputNames,
      outputNames: session.outputNames,
      inputType: 'float32',
      run: (inputs) => session.run(inputs),
      close: () => session.release(),
    },
    [images],
  );
  const conditions = new LinuxConditions(() => performance.now());
  const core = new Pace(() => performance.now());
  let paces: number[] = [];
  const emit = (event: AgentEvent): void => {
    writeSync(sink, encodeLine(event));
    if (event.event === 'latencies') for (const each of event.milliseconds) latencies.push(each);
  };
  const begin = performance.now();
  const bounds = { minQueries: 1, minSeconds: TURN_SECONDS, maxSeconds: 10 * TURN_SECONDS };
  await timedQueries(query, bounds, {
    now: () => performance.now(),
    emit,
    look: () => {
      emit({ event: 'conditions', phase: 'steady', conditions: { ...conditions.look(), paces } });
      paces = [];
    },
    pace: () => {
      paces.push(core.look());
    },
  });
  const milliseconds = performance.now() - begin;
  closeSync(sink);
  conditions.close();
  return { latencies, milliseconds };
}
