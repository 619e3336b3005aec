import { quantile } from 'simple-statistics';
import { typicalPeak } from '../analysis/figures/memory.js';
import { predictedMemory } from '../compress/stand-ins.js';
import { buildGraph } from '../vit/graph/model.js';
import type { ViT } from '../vit/vit.js';
import { fitSum, type FittedModel } from './fit.js';
import type { Rounds } from './measure.js';
import { workKinds, workOf } from './work.js';

/** Something that is run: a model of these shapes and formats, a batch in parts. */
export interface Load {
  /** A model, or one of the same shapes. */
  readonly shape: ViT;
  readonly batch: number;
  readonly microBatch: number | undefined;
}

/** What a batch takes. */
export interface Cost {
  readonly milliseconds: number;
  /** Peak memory over the runtime's base, in bytes. */
  readonly peak: number;
}

/** Queries that are faster than this share of a round's are taken for its undisturbed ones. */
const UNDISTURBED = 0.1;

/**
 * What rounds say of what a model takes when nothing disturbs it, which is what a fit is to be made of: other work on the device
 * only ever adds time. The peak is what it is in reports: see `typicalPeak`.
 */
export function undisturbedCost({ latencies, peaks }: Rounds): Cost {
  const fast = [...latencies.values()].map((samples) => quantile([...samples], UNDISTURBED));
  return { milliseconds: Math.min(...fast), peak: typicalPeak([...peaks.values()]).value };
}

/** Says what a model will take on a device, from what others took. */
export interface DeviceModel {
  readonly latency: FittedModel;
  readonly memory: FittedModel;
  predict(load: Load): Cost;
}

/**
 * Fits latency and peak memory to what was measured on a device. Latency is a sum over the kinds of work in a graph; memory is a sum of
 * constants, of the most activations that are alive at once, of what the runtime keeps for each operator, and of what is there
 * anyway.
 *
 * @param measured - models of different shapes and formats, and what each took
 */
export function fitDevice(measured: readonly { readonly load: Load; readonly cost: Cost }[]): DeviceModel {
  const latency = fitSum(
    measured.map(({ load, cost }) => ({ amounts: timeAmounts(load), figure: cost.milliseconds })),
  );
  const memory = fitSum(
    measured.map(({ load, cost }) => ({ amounts: memoryAmounts(load), figure: cost.peak })),
  );
  return {
    latency,
    memory,
    predict: (load) => ({
      milliseconds: latency.predict(timeAmounts(load)),
      peak: memory.predict(memoryAmounts(load)),
    }),
  };
}

function timeAmounts({ shape, batch, microBatch }: Load): number[] {
  const work = workOf(buildGraph(shape), batch, microBatch);
  return workKinds.map((kind) => work[kind]);
}

function memoryAmounts({ shape, batch, microBatch }: Load): number[] {
  const images = Math.min(microBatch ?? batch, batch);
  const graph = buildGraph(shape);
  const { constants, activations } = predictedMemory(shape, images);
  return [constants, activations, workOf(graph, images, undefined).operators, 1];
}
