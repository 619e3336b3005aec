import { activationMemory, type ActivationMemory } from '../../onnx/liveness.js';
import { buildGraph } from '../../vit/graph/model.js';
import { linearName, type LinearName } from '../../vit/linears.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { rowsOf } from '../observe/blocks.js';
import { channelTap, type ChannelStatistics } from '../observe/channels.js';
import { walkBlocks } from '../observe/walk.js';
import type { ProfileOptions } from './options.js';

/** What a linear reads, over all its channels. */
export interface InputSummary {
  /** The linear; k and v read what q reads. */
  readonly linear: LinearName;
  readonly channels: number;
  readonly min: number;
  readonly max: number;
  readonly meanAbs: number;
  /** √E[x²]. */
  readonly rms: number;
  /**
   * Largest extent of a channel over the median extent: how far one channel forces a scale on the others that a tensor-wide
   * quantiser shares. Infinite where most channels are constant.
   */
  readonly outlierRatio: number;
}

/** The report of the stage. */
export interface ProfileReport {
  readonly images: number;
  readonly inputs: readonly InputSummary[];
  /** Predicted from shapes for the model as this stage saw it. */
  readonly activations: ActivationMemory;
}

/** Everything that was observed, channel by channel: what the report sums up. */
export type ProfileDetails = Readonly<
  Record<
    LinearName,
    Record<'min' | 'max' | 'mean' | 'meanAbs' | 'meanSquare', readonly number[]> & {
      readonly percentiles: Readonly<Record<string, { lower: readonly number[]; upper: readonly number[] }>>;
    }
  >
>;

const observedRoles = ['q', 'o', 'fc1', 'fc2'] as const;

/**
 * Observes what every linear reads over the calibration images, and lays out the activation memory node by node. The model
 * is not changed.
 *
 * @param vit - the model
 * @param context - runtime and calibration images
 * @param options - how many images, which percentiles, which batch size
 */
export async function profile(
  vit: ViT,
  context: StageContext,
  options: ProfileOptions,
): Promise<{ vit: ViT; report: ProfileReport; details: ProfileDetails }> {
  const calibration = await context.calibration.images(options.images);
  const { values } = await walkBlocks<(readonly [LinearName, InputSummary, ProfileDetails[LinearName]])[]>(
    context,
    vit,
    {
      name: 'profile',
      images: calibration,
      progress: [0, 1],
      async visit(_, stream, layer) {
        const taps = observedRoles.map((role) => {
          const { rows, rowsPerBatch } = rowsOf(stream, vit.config, layer, role);
          return channelTap(role, rows, rowsPerBatch, options.percentiles);
        });
        await stream.advance(vit, layer, taps);
        return {
          vit,
          value: observedRoles.map((role, index) => {
            const linear = linearName(layer, role);
            const statistics = taps[index]!.result();
            return [linear, summaryOf(linear, statistics), detailsOf(statistics)] as const;
          }),
        };
      },
    },
  );
  const observed = values.flat();
  return {
    vit,
    report: {
      images: calibration.count,
      inputs: observed.map(([, summary]) => summary),
      activations: activationMemory(buildGraph(vit), options.batch),
    },
    details: Object.fromEntries(observed.map(([linear, , details]) => [linear, details])),
  };
}

function summaryOf(linear: LinearName, { min, max, meanAbs, meanSquare }: ChannelStatistics): InputSummary {
  const average = (values: Float64Array): number => values.reduce((sum, v) => sum + v, 0) / values.length;
  const extents = max.map((high, channel) => high - min[channel]!).sort();
  const [largest, median] = [extents[extents.length - 1]!, extents[Math.floor(extents.length / 2)]!];
  return {
    linear,
    channels: min.length,
    min: Math.min(...min),
    max: Math.max(...max),
    meanAbs: average(meanAbs),
    rms: Math.sqrt(average(meanSquare)),
    outlierRatio: largest === 0 ? 1 : largest / median,
  };
}

function detailsOf(statistics: ChannelStatistics): ProfileDetails[LinearName] {
  const rounded = (values: Float64Array): number[] =>
    Array.from(values, (value) => Number(value.toPrecision(6)));
  return {
    min: rounded(statistics.min),
    max: rounded(statistics.max),
    mean: rounded(statistics.mean),
    meanAbs: rounded(statistics.meanAbs),
    meanSquare: rounded(statistics.meanSquare),
    percentiles: Object.fromEntries(
      [...statistics.percentiles].map(([percentile, { lower, upper }]) => [
        percentile,
        { lower: rounded(lower), upper: rounded(upper) },
      ]),
    ),
  };
}
