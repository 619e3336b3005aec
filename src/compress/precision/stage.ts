import { seededRandom } from '../../base/random.js';
import { FLOAT16_MAX, fromFloat16, toFloat16 } from '../../onnx/half.js';
import { elementCount, tensorOf } from '../../onnx/tensor.js';
import { poolsByAttention, prefixOf } from '../../vit/config.js';
import type { BlockValueName } from '../../vit/graph/block.js';
import {
  linearName,
  linearNames,
  linearRoles,
  PATCH,
  type LinearName,
  type LinearRole,
} from '../../vit/linears.js';
import { formOf, weightOf, withWeights, type ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { openEvaluator, sqnr, type Evaluator } from '../evaluate.js';
import { rowsOf } from '../observe/blocks.js';
import { extremeTap } from '../observe/extremes.js';
import { sampleTap, type RowSample } from '../observe/sample.js';
import { walkBlocks } from '../observe/walk.js';
import { matchesAny, refuseUnmatched } from '../patterns.js';
import { floatsOf } from '../weights.js';
import type { PrecisionOptions } from './options.js';

/** Why a component stayed as it was. */
export type KeptBecause =
  /** No pattern names it. */
  | 'not selected'
  /** Another stage gave it a form of its own. */
  | 'quantised'
  /** Its weights do not fit into float16. */
  | 'weights overflow'
  /** An activation of its block comes too near the end of float16. */
  | 'activations overflow'
  /** Its output would lose more than the sensitivity allows. */
  | 'sensitive';

/** What became of one component. */
export interface ComponentPrecision {
  /** `layers.3.fc1`, `patch`, `cls`, `registers`, `positions`, `projection`, `head`. */
  readonly component: string;
  readonly stored: 'float16' | 'unchanged';
  readonly because: KeptBecause | undefined;
  /** Largest absolute weight; undefined where the component was not looked at. */
  readonly largestWeight: number | undefined;
  /** SQNR of a linear's output with its weights rounded, in decibels; undefined where it was not measured. */
  readonly sqnr: number | undefined;
}

/** The report of the stage. */
export interface PrecisionReport {
  /** Images that were searched for large activations: none where no linear is named. */
  readonly images: number;
  readonly components: readonly ComponentPrecision[];
  /** Largest absolute activation in each block; none where no linear is named. */
  readonly largestActivations: readonly number[];
  /** Bytes that the file loses. */
  readonly savedBytes: number;
}

/** Token rows on which the sensitivity of a linear is measured. */
const SAMPLED_ROWS = 512;

const linearOutputs = linearRoles.map((role): BlockValueName => `${role}.output`);
const observed: readonly BlockValueName[] = [...linearRoles, ...linearOutputs, 'attended', 'residual'];

/**
 * Stores chosen components as float16. LayerNorm weights, biases and everything computed from them stay float32, as do
 * blocks whose activations come near float16's largest number.
 *
 * @param vit - the model
 * @param context - runtime and calibration images
 * @param options - which components
 * @throws InputError when a pattern names no component
 */
export async function precision(
  vit: ViT,
  context: StageContext,
  options: PrecisionOptions,
): Promise<{ vit: ViT; report: PrecisionReport }> {
  refuseUnmatched('precision.float16', options.float16, componentNames(vit));
  const components: ComponentPrecision[] = [];
  const largestActivations: number[] = [];
  const limit = FLOAT16_MAX * options.headroom;

  const consider = async (
    current: ViT,
    component: string,
    tensor: string,
    judge: Judge,
  ): Promise<Considered> => {
    const verdict = await judgementOf(component, tensor, judge);
    const { halves, because, largestWeight, sqnr: ratio } = verdict;
    return {
      vit: halves
        ? withWeights(current, [[tensor, tensorOf('float16', weightOf(vit, tensor).dims, halves)]])
        : current,
      precision: {
        ...{ component, because, largestWeight, sqnr: ratio },
        stored: halves ? 'float16' : 'unchanged',
      },
    };
  };
  const judgementOf = async (component: string, tensor: string, judge: Judge): Promise<Verdict> => {
    if (!matchesAny(component, options.float16)) return { because: 'not selected' };
    const quantised =
      component === PATCH
        ? vit.bytePatches !== undefined
        : formOf(vit, component as LinearName).kind !== 'float';
    if (quantised) return { because: 'quantised' };
    const weight = await floatsOf(vit, tensor);
    const largestWeight = weight.reduce((most, w) => Math.max(most, Math.abs(w)), 0);
    if (largestWeight > FLOAT16_MAX) return { because: 'weights overflow', largestWeight };
    const halves = toFloat16(weight);
    const judgement = await judge(fromFloat16(halves), weight);
    return { largestWeight, ...judgement, ...(judgement.because === undefined && { halves }) };
  };
  const accept = (): Promise<RoundingTest> => Promise.resolve({});

  let current = vit;
  const embed = async (component: string, tensor = component): Promise<void> => {
    const { vit: after, precision: found } = await consider(current, component, tensor, accept);
    current = after;
    components.push(found);
  };
  const throughBlocks = async (): Promise<number> => {
    const calibration = await context.calibration.images(options.images);
    const evaluator = await openEvaluator(context.engine, context.threads);
    const walked = await walkBlocks<BlockPrecision>(context, current, {
      name: 'precision',
      images: calibration,
      progress: [0, 1],
      async visit(reached, stream, layer) {
        const extremes = extremeTap(observed);
        const batches = stream.images / stream.batchSize;
        const random = seededRandom(context.seed + layer);
        const samples = sampleTap(
          context.engine,
          linearRoles,
          SAMPLED_ROWS,
          batches,
          (role) => rowsOf(stream, vit.config, layer, role).rowsPerBatch,
          random,
        );
        // What is rounded would hide how large the values are.
        await stream.advance(vit, layer, [extremes, samples]);
        const largest = Math.max(...extremes.result().values());
        const rows = samples.result();
        let after = reached;
        const considered: ComponentPrecision[] = [];
        for (const role of linearRoles) {
          const name = linearName(layer, role);
          const found = await consider(after, name, `${name}.weight`, async (rounded, weight) => {
            if (largest > limit) return { because: 'activations overflow' };
            if (options.sensitivity === undefined) return {};
            const ratio = await roundedSqnr(vit, evaluator, name, rows[role], weight, rounded);
            return { sqnr: ratio, ...(ratio < options.sensitivity && { because: 'sensitive' as const }) };
          });
          after = found.vit;
          considered.push(found.precision);
        }
        return { vit: after, value: { components: considered, largest } };
      },
    }).finally(() => evaluator.close());
    current = walked.vit;
    for (const { components: ofBlock, largest } of walked.values) {
      components.push(...ofBlock);
      largestActivations.push(largest);
    }
    return calibration.count;
  };

  await embed(PATCH, `${PATCH}.weight`);
  for (const { name } of prefixOf(vit.config)) await embed(name);
  if (vit.config.positions !== false) await embed('positions');
  const linears = linearNames(vit.config);
  const named = linears.some((name) => matchesAny(name, options.float16));
  // Activations decide on linears alone: where none is named, no image need go through the model.
  const images = named ? await throughBlocks() : 0;
  if (!named) for (const name of linears) await embed(name, `${name}.weight`);
  if (poolsByAttention(vit.config))
    for (const layer of POOL) await embed(`pool.${layer}`, `pool.${layer}.weight`);
  if (vit.config.projection !== undefined) await embed('projection', 'projection.weight');
  await embed('head', 'head.weight');
  const changed = [...vit.weights].filter(([name, tensor]) => current.weights.get(name) !== tensor);
  return {
    vit: current,
    report: {
      ...{ images, components },
      largestActivations,
      savedBytes: changed
        .filter(([, { dtype }]) => dtype === 'float32')
        .reduce((sum, [, { dims }]) => sum + 2 * elementCount(dims), 0),
    },
  };
}

/** What patterns may name: the components of a model, and those that other models have, for recipes that serve several. */
function componentNames({ config }: ViT): string[] {
  const others = ['cls', 'registers', 'positions', 'projection', ...POOL.map((layer) => `pool.${layer}`)];
  const prefix = prefixOf(config).map(({ name }) => name);
  return [...new Set([PATCH, 'head', ...prefix, ...others, ...linearNames(config)])];
}

/** Linears of a pooling by attention that are stored like others. */
const POOL = ['v', 'o', 'fc1', 'fc2'] as const;

/** A component, and the model with it as it is to be. */
interface Considered {
  readonly vit: ViT;
  readonly precision: ComponentPrecision;
}

/** What became of a block. */
interface BlockPrecision {
  readonly components: readonly ComponentPrecision[];
  /** Its largest absolute activation. */
  readonly largest: number;
}

/** What a component's own test says of its rounded weights. */
interface RoundingTest {
  readonly because?: KeptBecause;
  readonly sqnr?: number;
}

type Judge = (rounded: Float32Array, weight: Float32Array) => Promise<RoundingTest>;

/** What the test says, and the weights as float16 when nothing speaks against them. */
interface Verdict extends RoundingTest {
  readonly largestWeight?: number;
  readonly halves?: Uint16Array;
}

async function roundedSqnr(
  vit: ViT,
  evaluator: Evaluator,
  name: `layers.${number}.${LinearRole}`,
  sample: RowSample,
  weight: Float32Array,
  rounded: Float32Array,
): Promise<number> {
  const bias = await floatsOf(vit, `${name}.bias`);
  const output = await evaluator.output(sample, { weight, bias });
  return sqnr(await evaluator.error(output, sample, { weight: rounded, bias, input: undefined }));
}
