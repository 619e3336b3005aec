import { defined } from '../base/defined.js';
import { candidatesFor, canMerge } from '../compress/merge-tokens/schedule.js';
import { mergeTokensOptionsSchema } from '../compress/merge-tokens/options.js';
import { canPrune } from '../compress/prune/mlp.js';
import { layerCount, tokenCount, type ViTConfig } from '../vit/config.js';
import { untouched, type Settings } from './settings.js';

/** Neurons that widths are a multiple of, as in recipes. */
const MULTIPLE = 32;

/**
 * Settings whose latency and memory tell what each kind of work costs on a device: the model as it is, every knob alone, and some
 * together.
 *
 * @param config - of the model as it was trained
 * @param batch - images
 */
export function probeSettings(config: ViTConfig, batch: number): Settings[] {
  const prune = { ratio: 0.5, widths: config.mlpSizes.map((size) => narrowed(size, 0.5)) };
  const gentle = { ratio: 0.25, widths: config.mlpSizes.map((size) => narrowed(size, 0.25)) };
  const merges = canMerge(config) ? mergesFor(config, 1 / 3) : undefined;
  const more = canMerge(config) ? mergesFor(config, 2 / 3) : undefined;
  const halves = batch > 1 ? Math.ceil(batch / 2) : undefined;
  const singles = batch > 1 ? 1 : undefined;
  const mlp = ['layers.*.fc1', 'layers.*.fc2'];
  const changes: Partial<Settings>[] = [
    {},
    { keep: [] },
    { prune },
    { prune, keep: [] },
    { merges },
    { merges, keep: [] },
    { keep: mlp },
    { prune, merges: more, keep: [] },
    ...(batch > 1
      ? [
          { microBatch: halves },
          { keep: [], microBatch: singles },
          { keep: [], microBatch: halves },
          { prune: gentle, merges, keep: [], microBatch: halves },
        ]
      : [{ prune: gentle, merges, keep: [] }]),
  ];
  return changes
    .filter((change) => canMerge(config) || !('merges' in change))
    .filter((change) => canPrune(config) || !('prune' in change))
    .map((change) => ({ ...untouched, ...change }));
}

function narrowed(size: number, share: number): number {
  return size <= MULTIPLE ? size : Math.max(MULTIPLE, Math.round((size * (1 - share)) / MULTIPLE) * MULTIPLE);
}

/** Merges spread evenly over the blocks that leave about that share of the tokens less. */
function mergesFor(config: ViTConfig, share: number): readonly number[] {
  const r = Math.max(1, Math.round((share * tokenCount(config)) / layerCount(config)));
  const [schedule] = candidatesFor(config, mergeTokensOptionsSchema.parse({ r }));
  return defined(schedule, 'the schedule of merges').merges;
}
