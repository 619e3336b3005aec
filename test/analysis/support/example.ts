import { seededRandom, type Random } from '../../../src/base/random.js';
import type { Measurement } from '../../../src/protocol/measurement.js';
import type { Db } from '../../../src/store/open.js';
import type { CellRow, NewVariant } from '../../../src/store/tables.js';
import {
  endCell,
  endRun,
  insertRound,
  insertRun,
  upsertCell,
  upsertDevice,
  upsertVariant,
} from '../../../src/store/write.js';
import { CLASSES, profiledRound, scoredRound, timedRound, type AgentWords } from './measurements.js';
import { pruneStages, quantizeStages } from './stages.js';

const IMAGES = 300;
const ROUNDS = 5;
const MIB = 2 ** 20;

/** How a test wants its run. */
export interface ExampleOptions {
  readonly id?: string;
  /** Names of the devices; all but the first cannot tell memory. */
  readonly devices?: readonly string[];
  /** How long each device takes, as a multiple of the first; left out, the second takes twice as long, the third three times, …. */
  readonly slowness?: readonly number[];
  /** Whether every cell was measured: none failed, none pending, and none of the second model. */
  readonly smooth?: boolean;
  /** Puts every text that is free as a test wants it. */
  readonly dress?: (text: string) => string;
}

/** A variant of the example and how it fares. */
interface Contender {
  readonly row: Omit<NewVariant, 'run_id' | 'artifact' | 'position'>;
  /** Latency and memory, as a share of fp32's. */
  readonly latency: number;
  readonly memory: number;
  /** Share of images that get another class than fp32 gives them. */
  readonly strays: number;
  /** What goes wrong: at batch 8 it fails or is never timed, at batch 1 a round does not get steady. */
  readonly fault?: 'fails' | 'untimed' | 'unsteady';
}

/**
 * Stores a run as a suite would leave it: a trained model with three variants and a synthetic one with two, five rounds at
 * batch 1 and 8. Of the trained one, `pruned` failed at batch 8, and `int8` did not get steady in one round at batch 1. Of the
 * synthetic one, `int8` has not been timed at batch 8. Everything in it follows from a seed.
 */
export async function storeExample(db: Db, options: ExampleOptions = {}): Promise<void> {
  const { id = 'example', devices = ['laptop'], smooth = false, dress = (text: string) => text } = options;
  const random = seededRandom(7);
  const dataset = dress('shapes10');
  await insertRun(db, {
    ...{ id, suite: dress('drawings'), plan_hash: 'a1b2', seed: 7, version: '0.1.0' },
    ...{
      command: dress('edgeflex run drawings.yaml'),
      started_at: '2026-11-22T10:15:30.000Z',
      ended_at: null,
    },
    data_json: JSON.stringify({
      ...{ name: dataset, hash: 'd4e5', testImages: IMAGES },
      labels: Array.from({ length: CLASSES }, (_, index) => dress(`class ${index}`)),
    }),
  });
  const agents: AgentWords[] = devices.map((_, index) => ({
    ...{ runtime: dress('onnxruntime-node'), provider: dress('CPUExecutionProvider') },
    ...{ platform: dress('linux-x64'), tellsMemory: index === 0 },
  }));
  const kernels = ['MatMul', 'Softmax', 'LayerNormalization', dress('Gelu')];
  const deviceIds: number[] = [];
  for (const name of devices)
    deviceIds.push(await upsertDevice(db, { run_id: id, ...deviceRow(name, dress) }));
  const labels = Uint8Array.from({ length: IMAGES }, (_, image) => image % CLASSES);
  let baseline: number[] = [];
  for (const [position, contender] of contenders(dress, smooth, dataset).entries()) {
    const { row, latency, memory, strays } = contender;
    const fault = smooth ? undefined : contender.fault;
    const variant = await upsertVariant(db, { run_id: id, position, artifact: `key-${position}`, ...row });
    if (row.recipe === 'fp32') baseline = choices(labels, 0.1, random);
    const predicted = choices(baseline, strays, random);
    for (const [place, device_id] of deviceIds.entries()) {
      const agent = agents[place]!;
      const store = async (kind: CellRow['kind'], batch: number, rounds: readonly Measurement[]) => {
        const cell = await upsertCell(db, {
          ...{ run_id: id, variant_id: variant.id, device_id, kind, batch, rounds: rounds.length },
          ...{ tier: kind === 'performance' ? 'rapid' : null, status: 'pending', reason: null },
        });
        const faulty = kind === 'performance' && batch === 8;
        if (faulty && fault === 'untimed') return;
        for (const [round, measurement] of rounds.entries())
          await insertRound(
            db,
            { cellId: cell.id, round, position, startedAt: '2026-11-22T10:16:00.000Z', seconds: 2 },
            measurement,
            labels,
            kind === 'accuracy',
          );
        const fails = faulty && fault === 'fails';
        const reason = dress('the agent was killed (SIGKILL)\nout of memory, "perhaps"; see the log');
        await endCell(
          db,
          cell.id,
          fails ? 'failed' : 'done',
          fails ? { kind: 'agent-failed', text: reason } : null,
        );
      };
      await store('accuracy', 64, [scoredRound(agent, predicted, 80 * latency)]);
      await store('kernels', 8, [profiledRound(agent, kernels)]);
      for (const batch of [8, 1]) {
        const unsteady = fault === 'unsteady' && batch === 1;
        const typical = (batch === 1 ? 4 : 28) * latency * (options.slowness?.[place] ?? place + 1);
        const taken = (batch === 1 ? 12 : 24) * memory;
        await store(
          'performance',
          batch,
          Array.from({ length: ROUNDS }, (_, round) =>
            timedRound(agent, typical, taken, !(unsteady && round === 2), random),
          ),
        );
      }
    }
  }
  if (smooth) await endRun(db, id, '2026-11-22T10:20:00.000Z');
}

function contenders(dress: (text: string) => string, smooth: boolean, dataset: string): Contender[] {
  const trained = dress('vit-drawn');
  const synthetic = dress('vit-large');
  const int8 = dress('int8');
  const published = {
    ...{ source: dress('A paper'), model: dress('ViT-Huge'), hardware: dress('a graphics card') },
    figures: [dress('0.028 s for a batch of 64'), dress('623 MB')],
  };
  const card = {
    dataset,
    split: 'test',
    images: IMAGES,
    correct: 271,
    framework: dress('PyTorch'),
  };
  const fp32 = {
    ...{ recipe: 'fp32', description: dress('The model as it was.'), synthetic: 0, stages_json: '[]' },
    ...{ file_bytes: 3 * MIB + 1000, parameters: 800_000, micro_batch: null },
    ...{ published_json: null, card_json: null },
  };
  const quantized = {
    ...{ ...fp32, recipe: int8, description: dress('8-bit linears.'), file_bytes: MIB },
    ...{ stages_json: JSON.stringify(quantizeStages(dress)), published_json: JSON.stringify(published) },
  };
  const pruned = {
    ...{
      ...fp32,
      recipe: dress('pruned'),
      description: dress('Half of the MLP neurons.'),
      file_bytes: 2 * MIB,
    },
    ...{ parameters: 600_000, stages_json: JSON.stringify(pruneStages()), micro_batch: 4 },
  };
  const own: Contender[] = [
    {
      row: { ...fp32, model: trained, card_json: JSON.stringify(card) },
      latency: 1,
      memory: 1,
      strays: 0,
    },
    { row: { ...quantized, model: trained }, latency: 0.45, memory: 0.4, strays: 0.08, fault: 'unsteady' },
    { row: { ...pruned, model: trained }, latency: 1.002, memory: 0.75, strays: 0.02, fault: 'fails' },
  ];
  if (smooth) return own;
  return [
    ...own,
    { row: { ...fp32, model: synthetic, synthetic: 1 }, latency: 3, memory: 5, strays: 0 },
    {
      row: { ...quantized, model: synthetic, synthetic: 1 },
      latency: 1.3,
      memory: 2,
      strays: 0.3,
      fault: 'untimed',
    },
  ];
}

function deviceRow(name: string, dress: (text: string) => string) {
  const environment = {
    cpu: {
      ...{ model: dress('A processor'), features: [dress('avx2')], physicalCores: 2, logicalCores: 4 },
      ...{ governor: dress('performance'), maxFrequency: 3200 },
    },
    ...{ memoryBytes: 8 * 2 ** 30, virtual: true, node: dress('20.19.0') },
    os: {
      ...{ platform: 'linux', distribution: dress('Debian'), release: dress('12'), kernel: dress('6.1') },
      arch: 'x64',
    },
    versions: { [dress('onnxruntime-node')]: dress('1.30.0') },
    git: { commit: dress('0123456789abcdef0123456789abcdef01234567'), dirty: true },
  };
  const profile = { kind: 'local', name, description: dress('The machine on the desk.') };
  return {
    ...{ name: dress(name), threads: 2 },
    ...{ profile_json: JSON.stringify(profile), environment_json: JSON.stringify(environment) },
  };
}

/** The same classes, but for a share of images that get another one. */
function choices(from: ArrayLike<number>, strays: number, random: Random): number[] {
  return Array.from(from, (choice) =>
    random.uniform() < strays ? (choice + 1 + random.integer(CLASSES - 1)) % CLASSES : choice,
  );
}
