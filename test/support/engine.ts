import { serializeModel } from '../../src/onnx/file.js';
import type { OnnxModel } from '../../src/onnx/model.js';
import {
  defaultSessionOptions,
  type ModelSource,
  type SessionOptions,
  type Tensor,
} from '../../src/runtime/engine.js';
import { nodeEngine } from '../../src/runtime/node.js';

/** How tests open sessions. */
export const sessionOptions: SessionOptions = { ...defaultSessionOptions, threads: 1 };

/**
 * Runs a model once in ONNX Runtime.
 *
 * @param model - a graph, a file, or the bytes of one
 * @param inputs - float32 values and shape, by name
 */
export async function runOnce(
  model: OnnxModel | ModelSource,
  inputs: Readonly<Record<string, { readonly dims: readonly number[]; readonly data: Float32Array }>>,
): Promise<Readonly<Record<string, Tensor>>> {
  const engine = await nodeEngine();
  const source =
    typeof model === 'string' || model instanceof Uint8Array ? model : await serializeModel(model);
  const session = await engine.open(source, sessionOptions);
  try {
    return await session.run(
      Object.fromEntries(
        Object.entries(inputs).map(([name, { dims, data }]) => [name, engine.tensor('float32', data, dims)]),
      ),
    );
  } finally {
    await session.close();
  }
}
