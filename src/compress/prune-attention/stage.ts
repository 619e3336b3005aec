import { defined } from '../../base/defined.js';
import { InputError } from '../../base/errors.js';
import { headWidth, type ViTConfig } from '../../vit/config.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openBlas } from '../linalg/blas.js';
import { narrowQueryKeys, obstacleIn, sizeOf, type NarrowedAttention } from './narrow.js';
import type { PruneAttentionOptions } from './options.js';

/** The report of the stage. */
export interface PruneAttentionReport {
  readonly images: number;
  readonly blocks: readonly NarrowedAttention[];
}

/**
 * The width that a ratio leaves of the queries and keys of a head.
 *
 * @param config - the architecture
 * @param options - the ratio, and of what widths are multiples
 * @throws InputError when queries and keys cannot be narrowed, or nothing would go
 */
export function narrowedSize(
  config: ViTConfig,
  { ratio, multiple }: Pick<PruneAttentionOptions, 'ratio' | 'multiple'>,
): number {
  const obstacle = obstacleIn(config);
  const refused = (place: string, found: string, expected: string, hint?: string): InputError =>
    new InputError({ source: 'recipe', place, found, expected, ...(hint !== undefined && { hint }) });
  if (obstacle !== undefined)
    throw refused(
      'prune-attention',
      `a model with ${obstacle}`,
      'a model whose queries and keys meet as its linears give them',
    );
  const before = headWidth(config);
  const size = sizeOf(config, { ratio, multiple });
  if (size >= before)
    throw refused(
      'prune-attention.ratio',
      `${ratio}, which removes none of the ${before} channels of a head`,
      `a ratio that leaves at least ${multiple} channels fewer`,
      'With a smaller "multiple" heads can become narrower by less.',
    );
  return size;
}

/**
 * Makes the queries and keys of all heads narrower.
 *
 * @param vit - a float model
 * @param context - runtime and calibration images
 * @param options - how much goes, and whether what stays makes up for it
 * @throws InputError when the model's queries and keys cannot be narrowed, or nothing would go
 */
export async function pruneAttention(
  vit: ViT,
  context: StageContext,
  options: PruneAttentionOptions,
): Promise<{ vit: ViT; report: PruneAttentionReport }> {
  const size = narrowedSize(vit.config, options);
  const images = await context.calibration.images(options.images);
  const blas = await openBlas(context.engine, context.threads);
  try {
    const how = { images, compensation: options.compensation, progress: [0, 1] } as const;
    const [narrow] = await narrowQueryKeys(vit, context, [size], how, blas);
    const { vit: narrowed, blocks } = defined(narrow, 'the model of the one width');
    return { vit: narrowed, report: { images: images.count, blocks } };
  } finally {
    await blas.close();
  }
}
