import { z } from 'zod';
import { sizeText } from '../../base/size.js';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { resizePatchesOptionsSchema } from '../resize-patches/options.js';
import { largerPatch } from '../resize-patches/patches.js';
import { resizePatches } from '../resize-patches/stage.js';
import { defineStage } from '../stage.js';
import { withPatchSize } from '../stand-ins.js';
import { figure, valueOf } from './stored.js';

const patches = z.object({ patch: z.object({ height: z.number(), width: z.number() }), patches: z.number() });

/** Cuts images into fewer patches. */
export const resizePatchesStage = defineStage({
  name: 'resize-patches',
  version: 1,
  description:
    'Cuts images into fewer, larger patches, and resizes the patch embedding and the positions to match.',
  options: resizePatchesOptionsSchema,
  report: z.object({
    before: patches,
    after: patches,
    multiplications: z.object({ before: z.number(), after: z.number() }),
    apart: z.object({ images: figure, error: figure, agreement: figure }).optional(),
  }),
  effort: (vit, { images }) => 2 * images * multiplications(vit.config),
  shape(vit, { keep }) {
    const patch = largerPatch(vit.config, keep);
    return patch === undefined ? vit : withPatchSize(vit, patch);
  },
  once: true,
  needsFloat: true,
  needsAllTokens: true,
  apply: resizePatches,
  summarise: ({ before, after, multiplications: count, apart }) =>
    stageFacts({
      headline: [
        { label: 'patches of an image left', value: after.patches, of: before.patches, unit: 'count' },
        {
          label: 'sides of a patch in pixels',
          value: `${sizeText(after.patch)} (${sizeText(before.patch)} before)`,
          unit: 'name',
        },
        {
          label: 'fewer multiplications, counted from shapes',
          value: count.before / count.after,
          unit: 'times',
        },
        ...(apart === undefined
          ? [
              {
                label: 'resized',
                value: 'nothing (no larger patch divides the image and leaves enough)',
                unit: 'name' as const,
              },
            ]
          : [
              { label: 'error of the logits', value: valueOf(apart.error), unit: 'number' as const },
              {
                label: 'held-out images that keep their class',
                value: valueOf(apart.agreement),
                unit: 'share' as const,
              },
              { label: 'held-out training images', value: valueOf(apart.images), unit: 'count' as const },
            ]),
      ],
    }),
});
