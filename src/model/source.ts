import { basename, resolve } from 'node:path';
import { InputError } from '../base/errors.js';
import { isThere } from '../base/exchange.js';
import { hubReference } from '../net/hub-reference.js';
import { syntheticNames, type SyntheticName } from '../vit/synthetic.js';

/** Where a model comes from: files, a model of the Hugging Face Hub, or an architecture with weights from a seed. */
export type ModelSource =
  | {
      readonly kind: 'path';
      readonly name: string;
      /** A folder or a file of weights. */
      readonly path: string;
    }
  | {
      readonly kind: 'hub';
      readonly name: string;
      /** Id on the Hugging Face Hub. */
      readonly repository: string;
      readonly revision: string;
    }
  | {
      readonly kind: 'synthetic';
      readonly name: string;
      readonly architecture: SyntheticName;
      readonly imageSize: number;
      readonly seed: number;
    };

/**
 * The model that a user names on the command line.
 *
 * @param reference - a directory, a file of weights, an id of the Hub, or the name of a synthetic architecture
 * @throws InputError when it is none of them
 */
export function namedModel(reference: string): ModelSource {
  const architecture = syntheticNames.find((name) => name === reference);
  if (architecture) return { kind: 'synthetic', name: reference, architecture, imageSize: 224, seed: 1 };
  if (isThere(reference))
    return {
      kind: 'path',
      name: basename(resolve(reference)).replace(/\.(safetensors|onnx)$/, ''),
      path: resolve(reference),
    };
  const hub = hubReference(reference);
  if (hub) return { kind: 'hub', name: basename(hub.repository), ...hub };
  throw new InputError({
    source: reference,
    found: 'nothing',
    expected: `a directory with a model, a .safetensors or .onnx file, an id of the Hugging Face Hub (owner/name), or one of ${syntheticNames.join(', ')}`,
  });
}
