import { z } from 'zod';
import { linearNames, linearRoles, linearWidths, PATCH } from '../../vit/linears.js';
import { formOf } from '../../vit/vit.js';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { matchesAny } from '../patterns.js';
import { blockwiseShape, bytePatchesShape, int8Shape } from '../stand-ins.js';
import { isWeightFormat, quantizeOptionsSchema, quantizesPatches } from '../quantize/options.js';
import { quantize } from '../quantize/stage.js';
import { bitsOf } from '../quantize/weight.js';
import { defineStage } from '../stage.js';
import { figure, names, valueOf } from './stored.js';

/** Candidates that the searches try on each linear. */
const CANDIDATES = 24;

/** Multiplications of a block in the time of one in a search that rounds weights. */
const ROUNDED = 2;

/** Passes over the images: one observes, the others run the quantised block. */
const PASSES = 1.8;

/** Quantises the linears of the blocks, and the embedding of the patches. */
export const quantizeStage = defineStage({
  name: 'quantize',
  version: 6,
  description:
    'Quantises the linear layers of the blocks, each block calibrated on the outputs of the quantised blocks before it, and in w8a8 the patch embedding.',
  options: quantizeOptionsSchema,
  report: z.object({
    format: z.string(),
    images: figure,
    linears: z.array(z.object({ linear: z.string(), sqnr: figure, alpha: figure })),
    kept: names,
    returned: names,
    agreement: figure,
    withinBudget: z.boolean().optional(),
  }),
  effort({ config }, { images, rows, alpha, budget }) {
    const image = multiplications(config);
    const weights = config.mlpSizes.reduce(
      (sum, _, layer) =>
        sum +
        linearRoles.reduce((all, role) => {
          const [inputs, outputs] = linearWidths(config, layer, role);
          return all + inputs * outputs;
        }, 0),
      0,
    );
    const searches = alpha === 'search' ? CANDIDATES : CANDIDATES / 2;
    const checks = (budget?.images ?? 0) * 3 * image;
    return images * image * PASSES + ROUNDED * searches * rows * weights + checks;
  },
  shape(vit, { format, blockSize, keep }) {
    const embeds = quantizesPatches({ format }) && vit.bytePatches === undefined && !matchesAny(PATCH, keep);
    let planned = embeds ? bytePatchesShape(vit) : vit;
    for (const linear of linearNames(vit.config)) {
      if (formOf(planned, linear).kind !== 'float' || matchesAny(linear, keep)) continue;
      planned = isWeightFormat(format)
        ? blockwiseShape(planned, linear, bitsOf(format), blockSize)
        : int8Shape(planned, linear, format);
    }
    return planned;
  },
  needsFloat: true,
  quantisesAll: ({ keep }) => keep.length === 0,
  apply: quantize,
  summarise: (
    { format, images, linears, kept, returned, agreement, withinBudget },
    { boundPairs = false },
  ) => {
    const known = linears.map(({ sqnr }) => sqnr).filter((sqnr) => sqnr !== undefined);
    return stageFacts({
      headline: [
        {
          label: `linears as ${format}`,
          value: linears.length - returned.length,
          of: linears.length + kept.length,
          unit: 'count',
        },
        ...(known.length === 0
          ? []
          : [
              { label: 'lowest SQNR', value: Math.min(...known), unit: 'decibels' as const },
              { label: 'highest', value: Math.max(...known), unit: 'decibels' as const },
            ]),
        ...(kept.length === 0 ? [] : [{ label: 'kept float', value: kept, unit: 'name' as const }]),
        ...(returned.length === 0
          ? []
          : [{ label: 'returned to float, worst first', value: returned, unit: 'name' as const }]),
        ...(agreement === undefined
          ? []
          : [
              {
                label: `held-out images that keep their class${withinBudget === false ? ' (budget not met)' : ''}`,
                value: agreement,
                unit: 'share' as const,
              },
            ]),
        { label: 'training images', value: valueOf(images), unit: 'count' },
      ],
      tables: [
        {
          title: 'every linear',
          note: 'α: how far the difficulty of quantising was moved from the inputs to the weights, 0 to 1; empty where it was not: nothing to fold it into, and too little to gain by dividing.',
          columns: [
            { title: 'linear', unit: 'name' },
            { title: 'SQNR', unit: 'decibels' },
            { title: 'α', unit: 'number' },
            { title: '', unit: 'name' },
          ],
          rows: linears.map(({ linear, sqnr, alpha }) => [
            linear,
            valueOf(sqnr),
            valueOf(alpha),
            returned.includes(linear) ? 'returned to float' : null,
          ]),
        },
      ],
      pictures: [
        {
          kind: 'linear-sqnr',
          linears: [
            ...linears.map(({ linear, sqnr }) => ({
              linear,
              sqnr,
              state: returned.includes(linear) ? ('returned to float' as const) : ('quantised' as const),
            })),
            ...kept.map((linear) => ({ linear, sqnr: undefined, state: 'kept float' as const })),
          ],
        },
        {
          kind: 'bits',
          tensors: linears
            .filter(({ linear }) => !returned.includes(linear))
            .map(({ linear }) => ({
              name: linear,
              weights: format === 'w4' ? 4 : 8,
              inputs: format === 'w4' || format === 'w8' ? undefined : 8,
            })),
        },
      ],
      traits: [
        ...(format === 'dynamic' ? ['depends-on-batch' as const] : []),
        ...(boundPairs && format !== 'w8' && format !== 'w4' ? ['exact-without-vnni' as const] : []),
      ],
    });
  },
});
