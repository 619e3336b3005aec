import { InputError } from '../base/errors.js';
import { seededRandom, shuffled } from '../base/random.js';
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
  | TimedScenario;

/** How a cell is timed: in several rounds, in turn with the others. */
export type TimedScenario = {
  /** Images of a query. */
  readonly batch: number;
  readonly tier: Tier;
  readonly rounds: number;
} & (
  | /** One query after the other. */
    { readonly kind: 'performance' }
    /** Queries arrive at random moments: the highest rate at which the p99 of the response time is within a bound, in milliseconds. */
  | { readonly kind: 'server'; readonly p99: number }
  /** All queries are there from the beginning. */
  | { readonly kind: 'offline' }
);

/**
 * Whether a scenario is timed, in several rounds.
 *
 * @param scenario - any
 */
export function isTimed(scenario: Scenario): scenario is TimedScenario {
  return scenario.kind !== 'accuracy' && scenario.kind !== 'kernels';
}

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

/** The only variant of an ONNX file's own that cannot be compressed. */
const asItIs: SuiteRecipe = {
  recipe: {
    name: 'raw',
    description: 'The ONNX file, run as it is.',
    steps: [],
    microBatch: undefined,
  },
  published: undefined,
};

/** Whether a variant is an ONNX file that is run as it is. */
export function isRaw({ recipe }: PlannedVariant): boolean {
  return recipe === asItIs || recipe.raw !== undefined;
}

function refuseSameNames({ path }: Suite, variants: readonly PlannedVariant[]): void {
  const seen = new Set<string>();
  for (const { model, recipe } of variants) {
    const { name } = recipe.recipe;
    const key = `${model.name} / ${name}`;
    if (seen.has(key))
      throw new InputError({
        source: path,
        place: 'recipes',
        found: `a second variant ${key}: the file that is run as it is has this name, too`,
        expected: 'another name for one of them',
      });
    seen.add(key);
  }
}

/**
 * A plan without the cells of some variants.
 *
 * @param plan - all there was to do
 * @param refused - indices of variants that cannot be measured
 */
export function planWithout(plan: Plan, refused: ReadonlySet<number>): Plan {
  const kept = [...plan.cells.keys()].filter((index) => !refused.has(plan.cells[index]?.variant ?? -1));
  const indices = new Map(kept.map((before, now) => [before, now]));
  return {
    ...plan,
    cells: plan.cells.filter(({ variant }) => !refused.has(variant)),
    rounds: plan.rounds.flatMap(({ cell, round }) => {
      const now = indices.get(cell);
      return now === undefined ? [] : [{ cell: now, round }];
    }),
  };
}

/**
 * Expands a suite.
 *
 * Accuracy and kernels come first: a variant that gives wrong answers or runs in the wrong kernels need not be timed. The
 * timed rounds follow, and in each round all cells take their turn in a new random order, so that drift of the machine hits
 * all variants alike.
 *
 * @param suite - the suite; its seed determines the order
 * @param raw - models that turned out to be ONNX files in which nothing was recognised: they have one variant of their own
 * @throws InputError when more would be measured than anybody waits for
 */
export function planOf(suite: Suite, raw: ReadonlySet<string> = new Set()): Plan {
  const variants = suite.models.flatMap((model) => {
    const alone = raw.has(model.name) || (model.kind === 'path' && model.raw !== undefined);
    const others = suite.recipes.filter(({ raw: file }) =>
      file === undefined ? !alone : (file.model ?? model.name) === model.name,
    );
    return [...(alone ? [asItIs] : []), ...others].map((recipe) => ({ model, recipe }));
  });
  refuseSameNames(suite, variants);
  const { batches } = suite.performance;
  const timed = timedScenarios(suite);
  const perSubject = 2 + timed.reduce((sum, { rounds }) => sum + rounds, 0);
  const planned = variants.length * suite.devices.length * perSubject;
  if (planned > MAX_PLANNED)
    throw new InputError({
      source: suite.path,
      found:
        `${planned} measurements: ${variants.length} variants on ${suite.devices.length} devices, ` +
        `each timed in ${perSubject - 2} rounds, of ${timed.length} scenarios`,
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
  for (const scenario of timed) eachVariant(scenario);

  const order: PlannedRound[] = Array.from({ length: timedFrom }, (_, cell) => ({ cell, round: 0 }));
  const random = seededRandom(suite.seed);
  const mostRounds = Math.max(0, ...timed.map(({ rounds }) => rounds));
  for (let round = 0; round < mostRounds; round++) {
    const due = cells.flatMap(({ scenario }, cell) =>
      isTimed(scenario) && round < scenario.rounds ? [cell] : [],
    );
    for (const cell of shuffled(due, random)) order.push({ cell, round });
  }
  return { suite, variants, cells, rounds: order };
}

function timedScenarios({ performance, load }: Suite): TimedScenario[] {
  const { batches, tier, rounds } = performance;
  const { server, offline } = load ?? {};
  const bounded = load && { tier: load.tier, rounds: load.rounds };
  return [
    ...batches.map((batch) => ({ kind: 'performance' as const, batch, tier, rounds })),
    ...(bounded && server
      ? server.batches.map((batch) => ({ kind: 'server' as const, batch, p99: server.p99, ...bounded }))
      : []),
    ...(bounded && offline
      ? offline.batches.map((batch) => ({ kind: 'offline' as const, batch, ...bounded }))
      : []),
  ];
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
