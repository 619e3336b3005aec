import { basename, resolve } from 'node:path';
import { InputError } from '../base/errors.js';
import { isThere } from '../base/exchange.js';
import { listNamed } from '../base/named.js';
import { square, type Size } from '../base/size.js';
import { hubReference } from '../net/hub-reference.js';
import { syntheticNames, type SyntheticName } from '../vit/synthetic.js';

/** Built-in models that `files` of package.json leaves out. */
const ONLY_IN_CHECKOUTS: readonly string[] = ['vit-tiny-cifar10'];

/** What a suite can say of an ONNX file that is run as it is. */
export interface RawSettings {
  /** The output that gives the logits; undefined for the only one, or the one of that name. */
  readonly output?: string | undefined;
  /** A `preprocessor_config.json`; undefined for the one beside the file. */
  readonly preprocessor?: string | undefined;
}

/** Where a model comes from: files, a model of the Hugging Face Hub, or an architecture with weights from a seed. */
export type ModelSource =
  | {
      readonly kind: 'path';
      readonly name: string;
      /** A folder or a file of weights. */
      readonly path: string;
      /** Given for an ONNX file that is to be run as it is, whether or not a model is recognised in it. */
      readonly raw?: RawSettings;
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
      /** Sides of the images, in pixels. */
      readonly imageSize: Size;
      readonly seed: number;
    };

/**
 * The model that a user names on the command line.
 *
 * @param reference - a directory, a file of weights, an id of the Hub, the name of a built-in model or of a synthetic architecture
 * @throws InputError when it is none of them
 */
export function namedModel(reference: string): ModelSource {
  const architecture = syntheticNames.find((name) => name === reference);
  if (architecture)
    return { kind: 'synthetic', name: reference, architecture, imageSize: square(224), seed: 1 };
  if (isThere(reference))
    return {
      kind: 'path',
      name: basename(resolve(reference)).replace(/\.(safetensors|onnx)$/, ''),
      path: resolve(reference),
    };
  const builtIn = listNamed('model').find(({ name }) => name === reference);
  if (builtIn) return { kind: 'path', name: reference, path: builtIn.path };
  const hub = hubReference(reference);
  if (hub) return { kind: 'hub', name: basename(hub.repository), ...hub };
  throw new InputError({
    source: reference,
    found: 'no such file, folder, built-in model or Hub id',
    expected: `a directory with a model, a .safetensors or .onnx file, an id of the Hugging Face Hub (owner/name), or one of ${[...listNamed('model').map(({ name }) => name), ...syntheticNames].join(', ')}`,
    ...(ONLY_IN_CHECKOUTS.includes(reference) && {
      hint: `${reference} is part of the source checkout of EdgeFlex, not of its package: name its folder there.`,
    }),
  });
}
