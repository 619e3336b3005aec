import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { defined } from '../../base/defined.js';
import { DeviceError, InputError, messageOf } from '../../base/errors.js';
import { area } from '../../base/size.js';
import { withTemporaryFolder } from '../../base/temporary.js';
import { cache } from '../../cache/store.js';
import { preprocessingGraph } from '../../data/preprocess.js';
import { failureOf } from '../../device/device.js';
import { openLocal } from '../../device/local/device.js';
import { localProfile } from '../../device/local/kind.js';
import type { RawModel } from '../../model/raw.js';
import { writeModel } from '../../onnx/file.js';
import { copyModel, type OnnxSurface } from '../../onnx/surface.js';
import type { RootFailure } from '../../protocol/failure.js';
import { operatorIn } from '../../runtime/unsupported.js';
import { A_FEW_RUNS, noise } from '../probe.js';
import { runTask } from '../task-runner.js';
import { artifactIn, type Artifact, type ArtifactFacts } from './artifact.js';
import { rawKey } from './keys.js';
import { MODEL_FILE, PREPROCESS_FILE } from './write.js';

/**
 * An ONNX file that is run as it is, in the cache: a copy of it and its external data. It is run there once, in a process of its own:
 * files that the runtime does not know how to run may end the process.
 *
 * @param model - the file
 * @param signal - ends the work
 * @throws InputError when ONNX Runtime does not run it, or when what it gives are no logits
 */
export async function rawArtifact(model: RawModel, signal: AbortSignal): Promise<Artifact> {
  const options = { title: `${model.name} as it is`, signal };
  const entry = await cache().make(rawKey(model), options, async (folder): Promise<ArtifactFacts> => {
    const path = join(folder, MODEL_FILE);
    const { surface, weights } = model.files;
    const fileBytes = await copyModel(weights, path);
    await writeModel(preprocessingGraph(model.preprocessing), join(folder, PREPROCESS_FILE));
    const { input, output, numbers } = model;
    return {
      ...{ fileBytes, parameters: surface.elements, largestConstant: surface.largestBytes },
      ...{ kernels: {}, substitutions: [], stages: [], values: [] },
      raw: {
        ...{ output, batch: input.batch ?? null, ...numbers, freeAxes: [...input.freeAxes] },
        classes: await classesOf(model, path, signal),
      },
    };
  });
  return artifactIn(entry, model);
}

const RUNNABLE = 'a model that ONNX Runtime runs';

/** How many logits a file gives for an image, seen by running it. */
async function classesOf(
  { files, input, output }: RawModel,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  const batch = input.batch ?? 1;
  const device = await openLocal(localProfile());
  try {
    const { logits } = await withTemporaryFolder('raw', async (folder) => {
      const inputs = join(folder, 'inputs.bin');
      await writeFile(inputs, noise(batch * input.channels * area(input.size)));
      const image = [input.channels, input.size.height, input.size.width];
      const task = { ...A_FEW_RUNS, model: path, inputs, batch, microBatch: batch, image, output };
      return runTask(device, task, { signal });
    });
    return defined(logits[0], 'the logits').classes;
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    throw fileRefusal(files, failureOf(error), messageOf(error).replaceAll(path, files.weights));
  } finally {
    await device.close();
  }
}

/**
 * Why a file cannot be run: the first node of the operator that the runtime names, or that the runtime dies of it.
 *
 * @param files - the file and what it shows
 * @param failure - of the process in which it was to run
 * @param text - the same in words
 */
export function fileRefusal(
  { weights, surface }: { readonly weights: string; readonly surface: Pick<OnnxSurface, 'nodes'> },
  failure: RootFailure,
  text: string,
): InputError {
  const source = weights;
  if (failure.kind === 'agent-ended' && failure.signal !== null && failure.signal !== 'SIGKILL')
    return new InputError({
      source,
      found: `a graph that crashes ONNX Runtime (${failure.signal})`,
      expected: RUNNABLE,
      hint:
        'What made the file, a conversion to float16 say, left it damaged: onnx.checker.check_model(path, full_check=True) in Python may name ' +
        'the node. Make it anew; the one that it was made from can be compressed.',
    });
  const named = operatorIn(text);
  const node =
    named &&
    surface.nodes.find(
      ({ opType, domain }) => opType === named.opType && domain === (named.domain ?? domain),
    );
  return new InputError({
    source,
    ...(node && { place: `node ${node.name || node.opType}` }),
    found:
      node === undefined
        ? text
        : `${node.domain === '' ? '' : `${node.domain}.`}${node.opType}: an operator that ONNX Runtime cannot run`,
    expected: RUNNABLE,
    hint: `${basename(weights)} can be neither compressed nor run unchanged.`,
  });
}
