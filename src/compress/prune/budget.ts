import { InputError } from '../../base/errors.js';
import type { ViT } from '../../vit/vit.js';
import type { StageContext } from '../context.js';
import { predictedMemory, withWidths } from '../stand-ins.js';
import { allocate, widthsOf, type BlockCost } from './allocation.js';
import type { PruneOptions } from './options.js';

const MIB = 1024 ** 2;

/**
 * Bytes that the runtime's arena takes for each byte of activations that are alive, before anything was measured: it grows
 * in powers of two and is never compact. Measured on ViTs from tiny to base: 1.2 to 1.7.
 */
const ARENA_SLACK = 1.6;

/** How often the way to a budget is halved. */
const MEASUREMENTS = 7;

/** A measured peak this share below the budget is near enough. */
const NEAR_ENOUGH = 0.03;

/** A budget of bytes. */
export type SizeBudget = Exclude<NonNullable<PruneOptions['budget']>, { accuracy: number }>;

/** How a budget was met. */
export interface BudgetOutcome {
  readonly widths: readonly number[];
  /** Bytes that the budget allows. */
  readonly budget: number;
  /** Bytes predicted for the finished model from its shapes alone. */
  readonly predicted: number;
  /** Bytes measured for a model of these shapes; undefined for a budget of parameters, or where nothing can measure. */
  readonly measured: number | undefined;
}

/**
 * Chooses the widths that lose least among those with which the finished model of the recipe meets a budget. Peak memory is
 * predicted from shapes; where the context can measure, it is the measured peak of a model of these shapes that must keep it.
 *
 * @param vit - the model before pruning
 * @param costs - what narrowing each block costs
 * @param budget - what to meet
 * @param context - later steps of the recipe, and the means to measure
 * @param multiple - widths are multiples of this
 * @throws InputError when even the narrowest widths do not meet the budget
 */
export async function widthsWithin(
  vit: ViT,
  costs: readonly BlockCost[],
  budget: SizeBudget,
  context: StageContext,
  multiple: number,
): Promise<BudgetOutcome> {
  if ('parameters' in budget) {
    const bytes = budget.parameters * MIB;
    const widths = cheapest(vit, costs, context, multiple, (cap) => ({ cap, constants: bytes }));
    if (widths === undefined) {
      const narrowest = costs.map(({ neurons }) => Math.min(multiple, neurons));
      throw unreachable('parameters', bytes, plan(vit, narrowest, context, 1).constants);
    }
    return { widths, budget: bytes, predicted: plan(vit, widths, context, 1).constants, measured: undefined };
  }
  return withinMemory(vit, costs, budget, context, multiple);
}

/**
 * The widths are a function of how much the prediction may say, and more of it never makes the model smaller: so the
 * largest prediction whose measured peak keeps the budget is found by halving.
 */
async function withinMemory(
  vit: ViT,
  costs: readonly BlockCost[],
  { memory, batch }: { readonly memory: number; readonly batch: number },
  context: StageContext,
  multiple: number,
): Promise<BudgetOutcome> {
  const budget = memory * MIB;
  const images = Math.min(batch, context.microBatch ?? batch);
  const predict = (widths: readonly number[]): number => {
    const { constants, activations } = plan(vit, widths, context, images);
    return constants + ARENA_SLACK * activations;
  };
  const widthsFor = (prediction: number): number[] | undefined =>
    cheapest(vit, costs, context, multiple, (cap) => {
      const capped = costs.map(({ neurons }) => Math.min(neurons, cap));
      const { activations } = plan(vit, capped, context, images);
      return { cap, constants: prediction - ARENA_SLACK * activations };
    });
  const outcomeOf = async (widths: readonly number[]): Promise<BudgetOutcome> => {
    const measured = await context.measurePeak?.(context.finished(withWidths(vit, widths)), batch);
    return { widths, budget, predicted: predict(widths), measured };
  };
  const narrowest = costs.map(({ neurons }) => Math.min(multiple, neurons));
  if (context.measurePeak === undefined) {
    const widths = widthsFor(budget);
    if (widths === undefined) throw unreachable('memory', budget, predict(narrowest));
    return outcomeOf(widths);
  }

  const full = await outcomeOf(costs.map(({ neurons }) => neurons));
  if (full.measured! <= budget) return full;
  let best = await outcomeOf(narrowest);
  if (best.measured! > budget) throw unreachable('memory', budget, best.measured!);
  let [enough, tooMuch] = [best.predicted, full.predicted];
  for (let attempt = 0; attempt < MEASUREMENTS; attempt++) {
    const middle = (enough + tooMuch) / 2;
    const widths = widthsFor(middle);
    if (widths === undefined || widths.join() === best.widths.join()) {
      enough = middle;
      continue;
    }
    context.onProgress(0.5, `measuring the peak at ${neuronsOf(widths)} neurons`);
    const outcome = await outcomeOf(widths);
    if (outcome.measured! > budget) {
      tooMuch = middle;
      continue;
    }
    enough = middle;
    if (neuronsOf(widths) > neuronsOf(best.widths)) best = outcome;
    if (outcome.measured! >= budget * (1 - NEAR_ENOUGH)) break;
  }
  return best;
}

/** Constants that may be kept when no block is wider than `cap`. */
interface Allowance {
  readonly cap: number;
  readonly constants: number;
}

/** The widths with the least loss over all caps: a lower cap needs smaller activations and leaves more for the weights. */
function cheapest(
  vit: ViT,
  costs: readonly BlockCost[],
  context: StageContext,
  multiple: number,
  allow: (cap: number) => Allowance,
): number[] | undefined {
  const widest = Math.max(...costs.map(({ neurons }) => neurons));
  const fit = fitting(vit, costs, context, multiple);
  let best: number[] | undefined;
  let least = Infinity;
  let before: number | undefined;
  for (const allowance of widthsOf(widest, multiple).reverse().map(allow)) {
    // A lower cap that allows no more constants can only lose more.
    if (before !== undefined && allowance.constants <= before) continue;
    before = allowance.constants;
    const widths = fit(allowance);
    if (widths === undefined) continue;
    const loss = widths.reduce((sum, width, block) => sum + costs[block]!.loss[width]!, 0);
    if (loss < least) {
      least = loss;
      best = widths;
    }
  }
  return best;
}

/**
 * Prepares to choose the widths that lose least within an allowance. How many neurons it is worth is estimated from what they
 * take on average; forms that store inputs in blocks take it in steps, so that the estimate is lowered until it holds.
 */
function fitting(
  vit: ViT,
  costs: readonly BlockCost[],
  context: StageContext,
  multiple: number,
): (allowance: Allowance) => number[] | undefined {
  const constantsOf = (widths: readonly number[]): number => plan(vit, widths, context, 1).constants;
  // Neurons are counted as the allocation does: in whole multiples.
  const counted = (widths: readonly number[]): number =>
    widths.reduce((sum, width) => sum + Math.ceil(width / multiple) * multiple, 0);
  const widest = costs.map(({ neurons }) => neurons);
  const narrowest = widest.map((neurons) => Math.min(multiple, neurons));
  const [most, fewest] = [counted(widest), counted(narrowest)];
  const [full, least] = [constantsOf(widest), constantsOf(narrowest)];
  const perNeuron = (full - least) / Math.max(1, most - fewest);
  return ({ cap, constants }) => {
    if (constants < least) return undefined;
    let neurons = constants >= full ? most : fewest + Math.floor((constants - least) / perNeuron);
    for (;;) {
      const widths = allocate(costs, neurons, multiple, cap);
      if (widths === undefined) return undefined;
      const excess = constantsOf(widths) - constants;
      if (excess <= 0) return widths;
      neurons = counted(widths) - Math.max(multiple, Math.ceil(excess / perNeuron));
    }
  };
}

function plan(
  vit: ViT,
  widths: readonly number[],
  context: StageContext,
  images: number,
): ReturnType<typeof predictedMemory> {
  return predictedMemory(context.finished(withWidths(vit, widths)), images);
}

function neuronsOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0);
}

function unreachable(what: string, budget: number, least: number): InputError {
  // What is said to be enough must be: rounded up.
  const enough = (Math.ceil((least / MIB) * 100) / 100).toFixed(2);
  return new InputError({
    source: 'recipe',
    place: `prune.budget.${what}`,
    found: `${budget / MIB} MiB`,
    expected: `at least ${enough} MiB, what the model needs with the narrowest MLPs`,
    hint: 'Quantise in the same recipe, take a smaller batch or a micro-batch, or allow more.',
  });
}
