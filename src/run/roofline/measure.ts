import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeviceError, UnsupportedError } from '../../base/errors.js';
import { installedVersion } from '../../base/paths.js';
import { permutation, seededRandom } from '../../base/random.js';
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
import { perform } from '../perform.js';
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

/** A subject and what was measured of it so far. */
interface Standing {
  readonly subject: CeilingSubject;
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
  const standings = subjects.map((subject): Standing => ({ subject, rounds: [], failure: null }));
  const random = seededRandom(seed);
  const setting = await withTemporaryFolder('roofline', async (folder) => {
    let first: RooflineSetting | undefined;
    let failures = 0;
    const written = await writeModels(subjects, folder);
    for (let round = 0; round < rounds; round++)
      for (const [place, index] of permutation(subjects.length, random).entries()) {
        signal.throwIfAborted();
        const standing = standings[index]!;
        onProgress((round + place / subjects.length) / rounds, standing.subject);
        if (standing.failure !== null) continue;
        try {
          const { files, casts } = written[index]!;
          const measurement = await perform(device, { ...files, ...orderOf(standing.subject) }, signal);
          standing.rounds.push(timesIn(measurement, casts));
          first ??= settingIn(measurement, device);
          failures = 0;
        } catch (error) {
          if (!(error instanceof DeviceError)) throw error;
          fail(standings, standing, error);
          if (!isUnsupported(error)) failures += 1;
          if (failures === MOST_FAILURES) throw error;
        }
      }
    return first;
  });
  if (setting === undefined)
    throw new DeviceError(`${deviceName(device.profile)}: nothing could be measured: ${reasonIn(standings)}`);
  return {
    ...{ device: deviceName(device.profile), measuredAt, version: installedVersion(), setting },
    // What failed once counts for nothing, though rounds before it did not fail.
    ceilings: standings.map(({ subject, rounds: times, failure }) => ({
      ...{ subject, failure, rounds: failure === null ? times : [] },
    })),
  };
}

/** A subject's files, and the names of its model's casts of activations. */
interface WrittenSubject {
  readonly files: { readonly model: string; readonly inputs: string };
  readonly casts: readonly string[];
}

/** Writes every subject's model, and the input that all have in common. */
async function writeModels(subjects: readonly CeilingSubject[], folder: string): Promise<WrittenSubject[]> {
  const inputs = join(folder, 'inputs.bin');
  await writeFile(inputs, Float32Array.from(INPUT_VALUES));
  const written: WrittenSubject[] = [];
  for (const [index, subject] of subjects.entries()) {
    const model = join(folder, `ceiling-${index}.onnx`);
    const graph = ceilingGraph(subject);
    await writeModel(graph, model);
    written.push({ files: { model, inputs }, casts: castsOf(graph) });
  }
  return written;
}

/** The casts that are not of constants, which the runtime makes once while loading. */
function castsOf({ nodes, initializers }: OnnxModel): string[] {
  return nodes
    .filter(({ opType, inputs }) => opType === 'Cast' && !initializers.has(inputs[0]!))
    .map(({ name }) => name);
}

function orderOf(subject: CeilingSubject): {
  readonly kind: 'kernels';
  readonly batch: 1;
  readonly microBatch: 1;
  readonly runs: number;
} {
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
    throw new UnsupportedError('the adapter has no timestamps, so that nobody knows what its kernels take');
  return [...times];
}

function settingIn({ started }: Measurement, { environment, session }: Device): RooflineSetting {
  const { runtime, session: options } = started!;
  return { environment, threads: session.threads, runtime, session: options };
}

/** Takes note that a subject failed; of a precision without kernels, all do. */
function fail(standings: readonly Standing[], standing: Standing, error: DeviceError): void {
  const unsupported = isUnsupported(error);
  const failure = { status: unsupported ? 'unsupported' : 'failed', reason: error.message } as const;
  standing.failure = failure;
  if (!unsupported || standing.subject.kind !== 'product') return;
  const { precision } = standing.subject;
  for (const other of standings)
    if (other.subject.kind === 'product' && other.subject.precision === precision) other.failure = failure;
}

function isUnsupported(error: DeviceError): boolean {
  return error instanceof UnsupportedError || WITHOUT_KERNEL.test(error.message);
}

/** How ONNX Runtime says that it has no kernel for a node. */
const WITHOUT_KERNEL = /NOT_IMPLEMENTED|Could not find an implementation/i;

function reasonIn(standings: readonly Standing[]): string {
  return standings.find(({ failure }) => failure !== null)?.failure?.reason ?? 'no reason was told';
}
