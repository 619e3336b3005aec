import { InputError } from '../base/errors.js';
import { seededRandom, permutation } from '../base/random.js';
import { tiers, type Tier } from './schema.js';
import type { ModelSource } from '../model/source.js';
import type { Suite, SuiteRecipe } from './read.js';

/** A model × recipe. */
export interface PlannedVariant {
  readonly model: ModelSource;
  readonly recipe: SuiteRecipe;
}

/** How a cell drives a device. */
export type Scenario =
  | { readonly kind: 'accuracy'; readonly batch: number }
  | { readonly kind: 'kernels'; readonly batch: number }
  | { readonly kind: 'performance'; readonly batch: number; readonly tier: Tier; readonly rounds: number };

/** One variant on one device in one scenario. */
export interface PlannedCell {
  /** Index into the plan's variants. */
  readonly variant: number;
  /** Index into the suite's devices. */
  readonly device: number;
  readonly scenario: Scenario;
}

/** One fresh agent: a cell's only one, or one of its rounds. */
export interface PlannedRound {
  /** Index into the plan's cells. */
  readonly cell: number;
  readonly round: number;
}

/** Everything a run will do, in order. */
export interface Plan {
  readonly suite: Suite;
  readonly variants: readonly PlannedVariant[];
  readonly cells: readonly PlannedCell[];
  readonly rounds: readonly PlannedRound[];
}

/** Fresh agents of a run at most: at a second each they take more than a day. */
const MAX_PLANNED = 100_000;

/**
 * Expands a suite.
 *
 * Accuracy and kernels come first: a variant that gives wrong answers or runs in the wrong kernels need not be timed. The
 * timed rounds follow, and in each round all cells take their turn in a new random order, so that drift of the machine hits
 * all variants alike.
 *
 * @param suite - the suite; its seed determines the order
 * @throws InputError when more would be measured than anybody waits for
 */
export function planOf(suite: Suite): Plan {
  const variants = suite.models.flatMap((model) => suite.recipes.map((recipe) => ({ model, recipe })));
  const { batches, tier, rounds } = suite.performance;
  const planned = variants.length * suite.devices.length * (2 + batches.length * rounds);
  if (planned > MAX_PLANNED)
    throw new InputError({
      source: suite.path,
      found:
        `${planned} measurements: ${variants.length} variants on ${suite.devices.length} devices, ` +
        `each with ${batches.length} batch sizes in ${rounds} rounds`,
      expected: `at most ${MAX_PLANNED}`,
    });
  const cells: PlannedCell[] = [];
  const eachVariant = (scenario: Scenario): void => {
    for (let device = 0; device < suite.devices.length; device++)
      for (let variant = 0; variant < variants.length; variant++) cells.push({ variant, device, scenario });
  };
  eachVariant({ kind: 'accuracy', batch: suite.accuracy.batch });
  eachVariant({ kind: 'kernels', batch: batches.length > 0 ? Math.max(...batches) : suite.accuracy.batch });
  const timedFrom = cells.length;
  for (const batch of batches) eachVariant({ kind: 'performance', batch, tier, rounds });

  const order: PlannedRound[] = Array.from({ length: timedFrom }, (_, cell) => ({ cell, round: 0 }));
  const random = seededRandom(suite.seed);
  for (let round = 0; round < rounds; round++) {
    for (const index of permutation(cells.length - timedFrom, random))
      order.push({ cell: timedFrom + index, round });
  }
  return { suite, variants, cells, rounds: order };
}

/** What a tier asks of one round when a cell has several: its share of queries and time. */
export function roundBounds(
  tier: Tier,
  rounds: number,
): { readonly minQueries: number; readonly minSeconds: number; readonly maxSeconds: number } {
  const { minQueries, minSeconds, maxSeconds } = tiers[tier];
  return {
    minQueries: Math.ceil(minQueries / rounds),
    minSeconds: minSeconds / rounds,
    maxSeconds: maxSeconds / rounds,
  };
}
