import { join } from 'node:path';
import { cache } from '../../cache/store.js';
import { readModel } from '../../onnx/file.js';
import { activationMemory, type ActivationMemory } from '../../onnx/liveness.js';
import { MODEL_FILE } from '../artifacts/write.js';

/**
 * The activations of a variant's model as it lies in the cache, node by node, laid out from shapes.
 *
 * @param artifact - the key of the CPU's form, as a run stores it
 * @param batch - images of a query
 * @returns undefined when the cache no longer has the model, and for one that does not say the sizes of its values
 */
export async function activationsOf(artifact: string, batch: number): Promise<ActivationMemory | undefined> {
  const entry = await cache().find({ kind: 'artifact', digest: artifact, from: undefined });
  if (entry === undefined) return undefined;
  const model = await readModel(join(entry.files, MODEL_FILE));
  const known = new Set([...model.values, ...model.outputs].map(({ name }) => name));
  const whole = model.nodes.every(({ outputs }) => outputs.every((name) => name === '' || known.has(name)));
  return whole ? activationMemory(model, batch) : undefined;
}
