import { z } from 'zod';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { profileOptionsSchema } from '../profile/options.js';
import { profile } from '../profile/stage.js';
import { defineStage } from '../stage.js';
import { OBSERVED_PASS } from './effort.js';
import { figure, valueOf } from './stored.js';

/** Observes what every linear reads, and lays out the activation memory. */
export const profileStage = defineStage({
  name: 'profile',
  changesNothing: true,
  version: 1,
  description: 'Records the inputs of every linear layer and plans the activation memory; changes nothing.',
  options: profileOptionsSchema,
  report: z.object({
    images: figure,
    inputs: z.array(
      z.object({ linear: z.string(), min: figure, max: figure, rms: figure, outlierRatio: figure }),
    ),
    activations: z
      .object({ batch: z.number(), peakBytes: z.number(), peakNode: z.string() })
      .optional()
      .catch(undefined),
  }),
  effort: (vit, { images }) => images * multiplications(vit.config) * OBSERVED_PASS,
  shape: (vit) => vit,
  async apply(vit, context, options) {
    const { details, ...result } = await profile(vit, context, options);
    return { ...result, files: { 'profile.json': details } };
  },
  summarise: ({ images, inputs, activations }) =>
    stageFacts({
      headline: [
        ...(activations === undefined
          ? []
          : [
              {
                label: `predicted peak of the activations at batch ${activations.batch}`,
                value: activations.peakBytes,
                unit: 'bytes' as const,
              },
              { label: 'at node', value: activations.peakNode, unit: 'name' as const },
            ]),
        { label: 'training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'inputs of the linears',
          note: 'Outlier ratio: the largest extent of a channel over the median extent. Large values make a shared scale costly.',
          columns: [
            { title: 'linear', unit: 'name' },
            { title: 'least', unit: 'number' },
            { title: 'largest', unit: 'number' },
            { title: 'RMS', unit: 'number' },
            { title: 'outlier ratio', unit: 'number' },
          ],
          rows: inputs.map(({ linear, min, max, rms, outlierRatio }) => [
            linear,
            valueOf(min),
            valueOf(max),
            valueOf(rms),
            valueOf(outlierRatio),
          ]),
        },
      ],
    }),
});
