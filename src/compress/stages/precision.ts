import { z } from 'zod';
import { linearNames } from '../../vit/linears.js';
import { weightOf, weightShapes, withWeights } from '../../vit/vit.js';
import { stageFacts } from '../facts.js';
import { multiplications } from '../merge-tokens/schedule.js';
import { matchesAny } from '../patterns.js';
import { standIn } from '../stand-ins.js';
import { precisionOptionsSchema } from '../precision/options.js';
import { precision } from '../precision/stage.js';
import { defineStage } from '../stage.js';
import { OBSERVED_PASS } from './effort.js';
import { figure, valueOf } from './stored.js';

/** Stores chosen tensors as float16. */
export const precisionStage = defineStage({
  name: 'precision',
  version: 2,
  onlyStores: true,
  description:
    'Stores chosen tensors as float16, except in blocks whose activations come close to the limit of its range.',
  options: precisionOptionsSchema,
  report: z.object({
    images: figure,
    components: z.array(
      z.object({
        component: z.string(),
        stored: z.string(),
        because: z.string().optional(),
        largestWeight: figure,
        sqnr: figure,
      }),
    ),
    savedBytes: figure,
  }),
  effort: ({ config }, { images, float16 }) =>
    linearNames(config).some((name) => matchesAny(name, float16))
      ? images * multiplications(config) * OBSERVED_PASS
      : 0,
  shape(vit, { float16 }) {
    const named = [...weightShapes(vit.config).keys()].filter(
      (name) =>
        !/norm\d?\.|bias$|\.(distances|scores)$/.test(name) &&
        weightOf(vit, name).dtype === 'float32' &&
        matchesAny(name.replace(/\.weight$/, ''), float16),
    );
    return withWeights(
      vit,
      named.map((name) => [name, standIn(name, 'float16', weightOf(vit, name).dims)] as const),
    );
  },
  apply: precision,
  summarise: ({ images, components, savedBytes }) => {
    const stored = components.filter((each) => each.stored === 'float16');
    return stageFacts({
      headline: [
        {
          label: 'components stored as float16',
          value: stored.length,
          of: components.length,
          unit: 'count',
        },
        ...(savedBytes === undefined
          ? []
          : [{ label: 'file smaller by', value: savedBytes, unit: 'bytes' as const }]),
        ...(images === 0
          ? []
          : [{ label: 'training images', value: valueOf(images), unit: 'count' as const }]),
      ],
      pictures: [
        { kind: 'bits', tensors: stored.map(({ component }) => ({ name: component, weights: 16 })) },
      ],
      tables: [
        {
          title: 'every component',
          note: "Weights stored as float16 are widened to float32 when the CPU's graph is loaded, since ONNX Runtime's CPU provider on x86 has no float16 kernels: the file is smaller, memory and speed are those of float32.",
          columns: [
            { title: 'component', unit: 'name' },
            { title: 'stored', unit: 'name' },
            { title: 'because', unit: 'name' },
            { title: 'largest weight', unit: 'number' },
            { title: 'SQNR', unit: 'decibels' },
          ],
          rows: components.map(({ component, stored: how, because, largestWeight, sqnr }) => [
            component,
            how,
            because ?? null,
            valueOf(largestWeight),
            valueOf(sqnr),
          ]),
        },
      ],
    });
  },
});
