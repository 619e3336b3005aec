import { layerCount, tokensAt, type ViTConfig } from '../../vit/config.js';

/** Share of the weight that the class token has behind the last block, with the distillation token where there is one. */
const CLASS_SHARE = 0.5;

/**
 * How much an error of each token behind the last block matters to the head, one on average over a batch: where it reads the class token and
 * the mean of the patches, the class token counts as much as all patches together. Where it reads the class token alone, patches keep their
 * half all the same: class tokens are too few to tell how neurons vary together.
 *
 * @param config - the architecture
 * @param batchSize - images in a batch
 * @returns `[batchSize · tokens]`; undefined where all tokens count alike
 */
export function headWeights(config: ViTConfig, batchSize: number): Float32Array | undefined {
  const { pooling = 'class', distilled } = config;
  if (pooling !== 'class' && pooling !== 'class-patches') return undefined;
  const tokens = tokensAt(config, layerCount(config));
  const read = distilled ? 2 : 1;
  const first = (CLASS_SHARE * tokens) / read;
  const others = ((1 - CLASS_SHARE) * tokens) / (tokens - read);
  return Float32Array.from({ length: batchSize * tokens }, (_, row) =>
    row % tokens < read ? first : others,
  );
}
