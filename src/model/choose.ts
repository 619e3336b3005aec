import { InputError } from '../base/errors.js';
import { isPickle } from '../vit/checkpoints/pickle.js';

/** Names that weights have by convention, the one that is taken first. */
const CONVENTIONAL = [
  'model.safetensors',
  'model.safetensors.index.json',
  'model.onnx',
  'onnx/model.onnx',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

/** One of several files that together hold a model. */
const SHARD = /-\d+-of-\d+\.(safetensors|bin)$/;

/** Logits that tests compare with, not weights. */
const PARITY = 'parity.safetensors';

/** Weights that were chosen among the files of a folder. */
export interface Choice {
  readonly name: string;
  /** Other files that might have been meant. */
  readonly others: readonly string[];
}

/** Whether a file is one shard of several, of no use without its index. */
export function isShard(name: string): boolean {
  return SHARD.test(name);
}

/**
 * Chooses the file of weights among the files of a model's folder: the conventional one, or the only one.
 *
 * @param source - the folder, for the message
 * @param names - files relative to it, with `/` between folders
 * @returns undefined when there are no weights
 * @throws InputError that names the candidates when there are several and none is conventional
 */
export function chooseWeights(source: string, names: readonly string[]): Choice | undefined {
  const others = names.filter(
    (name) =>
      name !== PARITY &&
      !isShard(name) &&
      (/^[^/]+\.(safetensors|safetensors\.index\.json)$/.test(name) || /^(onnx\/)?[^/]+\.onnx$/.test(name)),
  );
  // Pickles lie beside the same weights in other formats, and beside what training left.
  const pickles = names.filter(
    (name) => !name.includes('/') && !isShard(name) && (isPickle(name) || name.endsWith('.bin.index.json')),
  );
  const candidates = others.length > 0 ? others : pickles;
  const conventional = CONVENTIONAL.find((name) => candidates.includes(name));
  const [only, another] = candidates;
  if (conventional === undefined && another !== undefined)
    throw new InputError({
      source,
      found: `${candidates.length} weight files: ${candidates.join(', ')}`,
      expected: `a single one, or one called ${CONVENTIONAL.join(' or ')}`,
      hint: 'Give the file instead of the folder.',
    });
  const name = conventional ?? only;
  return name === undefined ? undefined : { name, others: candidates.filter((each) => each !== name) };
}
