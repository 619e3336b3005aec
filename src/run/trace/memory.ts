import { join } from 'node:path';
import { cache } from '../../cache/store.js';
import { readModel } from '../../onnx/file.js';
import { activationMemory, type ActivationMemory } from '../../onnx/liveness.js';
import { valuesOf } from '../artifacts/artifact.js';
import { MODEL_FILE } from '../artifacts/write.js';

/**
 * The activations of a variant's model as it lies in the cache, node by node, laid out from the shapes of its values.
 *
 * @param artifact - the key of the CPU's form, as a run stores it; not of an ONNX file of others, whose shapes are not known
 * @param batch - images of a query
 * @returns undefined when the cache no longer has the model
 */
export async function activationsOf(artifact: string, batch: number): Promise<ActivationMemory | undefined> {
  const entry = await cache().find({ kind: 'artifact', digest: artifact, from: undefined });
  if (entry === undefined) return undefined;
  const model = await readModel(join(entry.files, MODEL_FILE));
  return activationMemory({ ...model, values: valuesOf(entry) }, batch);
}
