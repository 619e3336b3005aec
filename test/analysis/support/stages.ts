import type { StageReport } from '../../../src/compress/pipeline.js';
import { linearRoles, type LinearName } from '../../../src/vit/linears.js';

/** A stage as versions stored it whose stages had no facts: reports are made of it all the same. */
type StoredStage = Omit<StageReport, 'version' | 'facts' | 'files'>;

const BLOCKS = 4;
const MIB = 2 ** 20;

const linears = Array.from({ length: BLOCKS }, (_, layer) =>
  linearRoles.map((role): LinearName => `layers.${layer}.${role}`),
).flat();

/** What a recipe of one `prune` stage stores of itself. */
export function pruneStages(): StoredStage[] {
  return [
    {
      stage: 'prune',
      options: { ratio: 0.5 },
      seconds: 3.5,
      parameters: 600_000,
      constantBytes: 2_400_000,
      report: {
        images: 128,
        neuronsBefore: 512 * BLOCKS,
        neuronsAfter: 256 * BLOCKS,
        blocks: Array.from({ length: BLOCKS }, (_, layer) => ({
          layer,
          before: 512,
          after: 256 + (layer % 2 === 0 ? 32 : -32),
          loss: 0.01 * (layer + 1),
        })),
        budget: { widths: [], budget: 20 * MIB, predicted: 18 * MIB, measured: 19 * MIB },
      },
    },
  ];
}

/**
 * What a recipe with the other stages stores of itself: it observes, stores as float16 and quantises.
 *
 * @param dress - puts every text that is free as a test wants it
 */
export function quantizeStages(dress: (text: string) => string): StoredStage[] {
  const size = { parameters: 800_000, constantBytes: 900_000 };
  return [
    {
      stage: 'profile',
      options: {},
      seconds: 1.25,
      ...size,
      constantBytes: 3_200_000,
      report: {
        images: 128,
        inputs: linears.map((linear) => ({
          ...{ linear, channels: 128, min: -3.5, max: 4.25, meanAbs: 0.5, rms: 0.75, outlierRatio: 5.5 },
        })),
        activations: { batch: 8, nodes: [], peakBytes: 5 * MIB, peakNode: dress('/layers.1/softmax') },
      },
    },
    {
      stage: 'precision',
      options: {},
      seconds: 0.5,
      ...size,
      constantBytes: 3_200_000,
      report: {
        images: 128,
        components: [
          {
            component: dress('patch'),
            stored: 'float16',
            because: undefined,
            largestWeight: 0.5,
            sqnr: undefined,
          },
          {
            component: 'head',
            stored: 'unchanged',
            because: undefined,
            largestWeight: undefined,
            sqnr: undefined,
          },
        ],
        largestActivations: [1, 2, 3, 4],
        savedBytes: 40_000,
      },
    },
    {
      stage: 'quantize',
      options: { note: dress('free') },
      seconds: 9,
      ...size,
      report: {
        format: 'w8a8',
        images: 128,
        linears: linears.slice(1).map((linear, index) => ({ linear, sqnr: 25 + index, alpha: 0.5 })),
        kept: [linears[0]!, dress('head') as LinearName],
        returned: [linears[1]!],
        agreement: 0.985,
        withinBudget: true,
      },
    },
  ];
}
