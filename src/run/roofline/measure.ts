import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, UnsupportedError } from '../../base/errors.js';
import { installedVersion } from '../../base/paths.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import type { Device } from '../../device/device.js';
import { deviceName } from '../../device/profile.js';
import { writeModel } from '../../onnx/file.js';
import type { OnnxModel } from '../../onnx/model.js';
import type { Measurement } from '../../protocol/measurement.js';
import type {
  CeilingSubject,
  RooflineSetting,
  StoredCeiling,
  StoredRoofline,
} from '../../store/rooflines.js';
import { interleaved, runTask, type TaskSpec } from '../task-runner.js';
import { ceilingGraph, INPUT_VALUES, MEASURED } from './graph.js';

/** Executions of a subject in one process: about so many multiplications, or bytes, within bounds. */
const MULTIPLICATIONS = 2e9;
const BYTES = 2e9;
const LEAST_RUNS = 5;
const MOST_RUNS = 30;

/** After so many failures in a row it is the device that fails. */
const MOST_FAILURES = 3;

/** What measuring a roofline needs. */
export interface RooflineOptions {
  readonly subjects: readonly CeilingSubject[];
  /** Fresh processes of each subject, interleaved in random order. */
  readonly rounds: number;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Told how far it is, 0 … 1, and what comes next. */
  readonly onProgress: (done: number, subject: CeilingSubject) => void;
}

/** A subject, its files and what was measured of it so far. */
interface SubjectState {
  readonly subject: CeilingSubject;
  readonly files: { readonly model: string; readonly inputs: string };
  /** Names of its model's casts of activations. */
  readonly casts: readonly string[];
  readonly rounds: number[][];
  failure: StoredCeiling['failure'];
}

/**
 * Measures what a device can do at best: each subject as a model of one operator, by the same agent, runtime, threads and profiler
 * that say what the nodes of a variant take. A precision that the device has no kernels for is left out after the first try.
 *
 * @param device - where
 * @param options - what, how often
 * @throws DeviceError when nothing could be measured; the signal's reason when it fires
 */
export async function measureRoofline(device: Device, options: RooflineOptions): Promise<StoredRoofline> {
  const { subjects, rounds, seed, signal, onProgress } = options;
  if (device.fault !== undefined) throw new DeviceError(device.fault);
  const measuredAt = new Date().toISOString();
  const states: SubjectState[] = [];
  const setting = await withTemporaryFolder('roofline', async (folder) => {
    let first: RooflineSetting | undefined;
    let failures = 0;
    states.push(...(await writeModels(subjects, folder, signal)));
    for (const { item: state, done } of interleaved(states, rounds, seed, signal)) {
      onProgress(done, state.subject);
      if (state.failure !== null) continue;
      try {
        const { files, casts } = state;
        const measurement = await runTask(device, { ...files, ...taskOf(state.subject) }, { signal });
        state.rounds.push(timesIn(measurement, casts));
        first ??= settingIn(measurement, device);
        failures = 0;
      } catch (error) {
        if (!(error instanceof DeviceError)) throw error;
        fail(states, state, error);
        if (!(error instanceof UnsupportedError)) failures += 1;
        if (failures === MOST_FAILURES) throw error;
      }
    }
    return first;
  });
  if (setting === undefined)
    throw new DeviceError(`${deviceName(device.profile)}: nothing could be measured: ${reasonIn(states)}`);
  return {
    ...{ device: deviceName(device.profile), measuredAt, version: installedVersion(), setting },
    // What failed once counts for nothing, though rounds before it did not fail.
    ceilings: states.map(({ subject, rounds: times, failure }) => ({
      ...{ subject, failure, rounds: failure === null ? times : [] },
    })),
  };
}

/** Writes every subject's model, and the input that all have in common. The large ones take seconds. */
async function writeModels(
  subjects: readonly CeilingSubject[],
  folder: string,
  signal: AbortSignal,
): Promise<SubjectState[]> {
  const inputs = join(folder, 'inputs.bin');
  await writeFile(inputs, Float32Array.from(INPUT_VALUES));
  const written: SubjectState[] = [];
  for (const [index, subject] of subjects.entries()) {
    signal.throwIfAborted();
    const model = join(folder, `ceiling-${index}.onnx`);
    const graph = ceilingGraph(subject);
    await writeModel(graph, model);
    written.push({ subject, files: { model, inputs }, casts: castsOf(graph), rounds: [], failure: null });
  }
  return written;
}

/** The casts that are not of constants, which the runtime makes once while loading. */
function castsOf({ nodes, initializers }: OnnxModel): string[] {
  return nodes
    .filter(
      ({ opType, inputs }) =>
        opType === 'Cast' && !inputs.slice(0, 1).some((input) => initializers.has(input)),
    )
    .map(({ name }) => name);
}

function taskOf(
  subject: CeilingSubject,
): Pick<Extract<TaskSpec, { kind: 'kernels' }>, 'kind' | 'batch' | 'microBatch' | 'runs'> {
  const wanted =
    subject.kind === 'stream'
      ? BYTES / subject.bytes
      : MULTIPLICATIONS / (subject.shape.rows * subject.shape.inner * subject.shape.columns);
  const runs = Math.min(MOST_RUNS, Math.max(LEAST_RUNS, Math.round(wanted)));
  return { kind: 'kernels', batch: 1, microBatch: 1, runs };
}

/**
 * Milliseconds of each execution of the operator that counts.
 *
 * @param own - names of the casts of activations that the model has
 * @throws UnsupportedError when the runtime computed in another precision than was asked for
 */
function timesIn({ nodes }: Measurement, own: readonly string[]): number[] {
  const node = nodes.find((each) => each.node === MEASURED);
  if (node === undefined) throw new DeviceError('the profile does not name the operator that was measured');
  // Without kernels for float16 the runtime puts casts to float32 around a product, and takes away those that then undo each other.
  const casts = (names: Iterable<string>): string => [...names].sort().join();
  const ran = nodes.filter(({ opType }) => opType === 'Cast').map(({ node: name }) => name);
  if (casts(ran) !== casts(own))
    throw new UnsupportedError('the runtime has no kernels for it and computes in float32');
  const times = node.gpuMilliseconds ?? node.milliseconds;
  if (node.provider !== 'CPUExecutionProvider' && node.gpuMilliseconds === undefined)
    throw new UnsupportedError('the adapter has no timestamps, so the time of its kernels is unknown');
  return [...times];
}

function settingIn({ started }: Measurement, { environment, session }: Device): RooflineSetting {
  if (started === undefined) throw new DeviceError('the agent did not report its runtime');
  const { runtime, session: options } = started;
  return { environment, threads: session.threads, runtime, session: options };
}

/** Takes note that a subject failed; of a precision without kernels, all do. */
function fail(states: readonly SubjectState[], state: SubjectState, error: DeviceError): void {
  const unsupported = error instanceof UnsupportedError;
  const failure = { status: unsupported ? 'unsupported' : 'failed', reason: error.message } as const;
  state.failure = failure;
  if (!unsupported || state.subject.kind !== 'product') return;
  const { precision } = state.subject;
  for (const other of states)
    if (other.subject.kind === 'product' && other.subject.precision === precision) other.failure = failure;
}

function reasonIn(states: readonly SubjectState[]): string {
  return states.find(({ failure }) => failure !== null)?.failure?.reason ?? 'no reason was given';
}
