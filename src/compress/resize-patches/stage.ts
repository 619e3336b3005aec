import { InputError } from '../../base/errors.js';
import type { Size } from '../../base/size.js';
import { float32 } from '../../onnx/tensor.js';
import { gridOf, patchCount, patchValues, prefixTokens, tokenCount } from '../../vit/config.js';
import { laidOutPositions } from '../../vit/checkpoints/positions.js';
import { floats } from '../../vit/derived.js';
import { weightOf, withWeights, type ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { logitsApart, logitsFor, type Apart } from '../observe/logits.js';
import { floatEntry, floatsOf } from '../weights.js';
import type { ResizePatchesOptions } from './options.js';
import { largerPatch, resizedWeights } from './patches.js';

/** The report of the stage. */
export interface ResizePatchesReport {
  /** Sides of a patch in pixels, and how many there are. */
  readonly before: { readonly patch: Size; readonly patches: number };
  readonly after: { readonly patch: Size; readonly patches: number };
  /** Multiplications for an image, before and after. */
  readonly multiplications: { readonly before: number; readonly after: number };
  /** How far that leads from the model as it was, and on how many held-out training images; undefined where it stays as it was. */
  readonly apart: (Apart & { readonly images: number }) | undefined;
}

/**
 * Cuts images into fewer, larger patches: the embedding's weights are resized with them, positions are interpolated as where a model is
 * given images of another size, and everything behind sees fewer tokens. Nothing is trained. The model takes the same images as before.
 *
 * @param vit - a float model that merges no tokens yet
 * @param context - runtime and images
 * @param options - how many patches are to stay
 * @throws InputError when attention depends on where patches lie, or tokens are merged already
 */
export async function resizePatches(
  vit: ViT,
  context: StageContext,
  options: ResizePatchesOptions,
): Promise<{ vit: ViT; report: ResizePatchesReport }> {
  const { config } = vit;
  refuseUnfit(vit);
  const patch = largerPatch(config, options.keep);
  const resized = patch === undefined ? vit : await withPatches(vit, patch);
  const about = ({ config: of }: ViT): ResizePatchesReport['before'] => ({
    patch: of.patchSize,
    patches: patchCount(of),
  });
  return {
    vit: resized,
    report: {
      ...{ before: about(vit), after: about(resized) },
      multiplications: { before: multiplications(config), after: multiplications(resized.config) },
      apart: patch && (await compared(context, vit, resized, options.images)),
    },
  };
}

/** How far the logits of a resized model are from those of the model as it was, on held-out images. */
async function compared(
  context: StageContext,
  vit: ViT,
  resized: ViT,
  count: number,
): Promise<NonNullable<ResizePatchesReport['apart']>> {
  const images = await context.calibration.holdout(count);
  const logits = (of: ViT, name: string, progress: readonly [number, number]): Promise<Float32Array> =>
    logitsFor(context, of, { name, images, progress });
  const reference = await logits(vit, 'as-it-was', [0, 0.5]);
  const found = await logits(resized, 'resized', [0.5, 1]);
  return { images: images.count, ...logitsApart(found, reference, vit.config.labels.length) };
}

/**
 * A model of larger patches.
 *
 * @param vit - the model
 * @param patchSize - sides of its patches, which divide those of its images
 */
async function withPatches(vit: ViT, patchSize: Size): Promise<ViT> {
  const config = { ...vit.config, patchSize };
  const weight = resizedWeights(await floatsOf(vit, 'patch.weight'), vit.config.patchSize, patchSize);
  const resized = withWeights({ ...vit, config }, [
    floatEntry(vit, 'patch.weight', [config.hiddenSize, patchValues(config)], weight),
  ]);
  if (config.positions === false) return resized;
  const prefix = prefixTokens(config);
  // They may be stored as float16, which the checkpoints' tables never are.
  const learned = float32(weightOf(vit, 'positions').dims, await floatsOf(vit, 'positions'));
  const positions = laidOutPositions(learned, {
    ...{ leading: prefix, prefix, grid: gridOf(config), learnedGrid: gridOf(vit.config) },
    resampling: 'cubic',
  });
  return withWeights(resized, [
    floatEntry(vit, 'positions', [tokenCount(config), config.hiddenSize], await floats(positions)),
  ]);
}

/**
 * Refuses models whose patches cannot become larger.
 *
 * @throws InputError naming what stands against it
 */
function refuseUnfit({ config }: ViT): void {
  const refused = (found: string, expected: string): InputError =>
    new InputError({ source: 'recipe', place: 'resize-patches', found, expected });
  if (config.relativePositions || config.rotary !== undefined)
    throw refused(
      `a model with ${config.rotary === undefined ? 'relative' : 'rotary'} positions, which are learned for its number of patches`,
      'a model whose positions are added to its tokens',
    );
  if (config.merges !== undefined)
    throw refused('a model whose tokens are merged already', 'it before the stage merge-tokens');
}
