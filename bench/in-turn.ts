import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../src/base/paths.js';
import { fp32 } from '../src/compress/recipe.js';
import type { OpenedData } from '../src/data/kind.js';
import { localProfile } from '../src/device/local/kind.js';
import { openLocal } from '../src/device/local/device.js';
import { typicalLatency } from '../src/analysis/figures/latency.js';
import { ratioEffect } from '../src/analysis/compare/effect.js';
import { judge, type Judgement } from '../src/analysis/compare/judge.js';
import { artifactOf, type Artifact } from '../src/run/artifacts/artifact.js';
import { locateData } from '../src/run/locate-data.js';
import { loadModel, modelHere } from '../src/model/load.js';
import { DeviceSession } from '../src/run/session.js';
import { nodeEngine } from '../src/runtime/node.js';
import type { Scenario } from '../src/suite/plan.js';

/** Of the model; the images that feed it are others. */
const CLASSES = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

/** A model in float32 and the images that feed it. */
export interface Subject {
  readonly artifact: Artifact;
  readonly data: OpenedData;
}

/**
 * The built-in ViT of 2.7 million parameters, in float32.
 */
export async function builtInSubject(): Promise<Subject> {
  const data = await locateData('shapes10', undefined, undefined);
  const name = 'vit-tiny-cifar10';
  const path = join(packageRoot(), 'suites', 'models', name);
  const model = await loadModel(await modelHere({ kind: 'path', name, path }), CLASSES);
  const artifact = await artifactOf(model, fp32, {
    engine: await nodeEngine(),
    threads: availableParallelism(),
    train: data.train,
    seed: 1,
    device: undefined,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  return { artifact, data };
}

/**
 * This machine, with an agent of one's own.
 *
 * @param subject - whose images it is fed
 * @param entry - the agent's program; undefined is the usual one
 * @returns one thread: of two on two shared cores, one process waits more than the next, by tens of percent
 */
export async function sessionHere({ data }: Subject, entry?: string): Promise<DeviceSession> {
  return new DeviceSession(
    await openLocal(localProfile({ name: 'here', threads: 1 }), entry),
    data,
    64,
    1,
    new AbortController().signal,
  );
}

/**
 * Measures a model on two devices in turn, each round in fresh processes, in the other order every second round, and judges the
 * second against the first as "compare" does.
 *
 * @param subject - the model
 * @param sessions - the reference and the other
 * @param scenario - of timing
 */
export async function judgedInTurn(
  { artifact }: Subject,
  sessions: readonly [DeviceSession, DeviceSession],
  scenario: Extract<Scenario, { kind: 'performance' }>,
): Promise<Judgement> {
  const samples = sessions.map(() => new Map<number, readonly number[]>());
  for (let round = 0; round < scenario.rounds; round++)
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const { latencies } = await sessions[index]!.measure(
        artifact,
        undefined,
        scenario,
        round,
        () => undefined,
      );
      samples[index]!.set(round, latencies);
    }
  const effect = ratioEffect(
    'latency',
    samples[0]!,
    samples[1]!,
    true,
    (rounds) => typicalLatency([...rounds.values()]).value,
  );
  if ('obstacle' in effect) throw new Error(effect.obstacle.kind);
  return judge([{ effect, floor: undefined }])[0]!.judgement;
}
