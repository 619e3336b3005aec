import { mean } from 'simple-statistics';
import { z } from 'zod';
import { defined } from '../base/defined.js';
import type { StoredDuration, StoredVariant } from '../store/durations.js';
import { isTimed, type Plan, type Scenario } from '../suite/plan.js';
import { leastSeconds } from './forecast.js';
import { stoppingRuleOf } from './stopping.js';

/** What a run would do, and about what it would take. */
export interface RunEstimate {
  readonly suite: string;
  readonly variants: readonly VariantEstimate[];
  readonly devices: readonly DeviceEstimate[];
  readonly cells: number;
  /** Fresh processes that measure. */
  readonly rounds: number;
  /** Measuring: devices of one machine one after the other, different machines side by side. */
  readonly seconds: number;
  /** The same with as many rounds as the suite's precision allows; null where their number is fixed. */
  readonly mostSeconds: number | null;
  /** Of the variants that stored runs have; null where they have none. What the cache holds takes no time. */
  readonly compressSeconds: number | null;
  /** Of all variants in the form for the CPU, without those whose size nobody knows. What the cache holds takes no more room. */
  readonly cacheBytes: number;
}

/** A variant that would be measured. */
export interface VariantEstimate {
  readonly model: string;
  readonly recipe: string;
  /** As a stored run has it; otherwise those of the model, or null where these are not known. */
  readonly fileBytes: number | null;
  /** That its stages took when a stored run made it; null where none has. */
  readonly compressSeconds: number | null;
}

/** A device that would be measured on. */
export interface DeviceEstimate {
  readonly name: string;
  readonly cells: number;
  readonly rounds: number;
  readonly seconds: number;
  /** Rounds whose duration is known from stored runs; that of the others is from the tier's minimum. */
  readonly knownRounds: number;
}

/** A device of a plan, by name. */
export interface PlannedDevice {
  readonly name: string;
  /** The machine that does the work. */
  readonly host: string;
}

/** What earlier runs say, and the sizes of models' files. */
export interface Known {
  readonly durations: readonly StoredDuration[];
  readonly variants: readonly StoredVariant[];
  /** Bytes of the weights by name of the model; null where nobody knows. */
  readonly modelBytes: ReadonlyMap<string, number | null>;
}

/**
 * Estimates what a plan takes. A round takes as long as like rounds of stored runs on the device did: of the same variant, else of its
 * model, else of any; and where there are none, the least that its tier asks for.
 *
 * @param plan - of a suite
 * @param devices - of the plan, in its order
 * @param known - what is known
 */
export function estimateOf(plan: Plan, devices: readonly PlannedDevice[], known: Known): RunEstimate {
  const { suite, variants, cells, rounds } = plan;
  const mostRounds = stoppingRuleOf(suite.performance)?.maxRounds;
  const priced = cells.map(({ variant, device, scenario }) => {
    const { model, recipe } = defined(variants[variant], 'a variant');
    const { name } = defined(devices[device], 'a device');
    const seen = secondsSeen(
      known.durations,
      { device: name, model: model.name, recipe: recipe.recipe.name },
      scenario,
    );
    const count = isTimed(scenario) ? scenario.rounds : 1;
    const most = scenario.kind === 'performance' ? (mostRounds ?? count) : count;
    const seconds = seen ?? leastSeconds(scenario);
    return { device, count, isKnown: seen !== undefined, seconds: count * seconds, most: most * seconds };
  });
  const over = (of: (each: (typeof priced)[number]) => number, device: number): number =>
    priced.reduce((sum, each) => sum + (each.device === device ? of(each) : 0), 0);
  const longest = (of: (each: (typeof priced)[number]) => number): number => {
    const hosts = new Map<string, number>();
    for (const [index, { host }] of devices.entries())
      hosts.set(host, (hosts.get(host) ?? 0) + over(of, index));
    return Math.max(0, ...hosts.values());
  };
  const made = variants.map(({ model, recipe }): VariantEstimate => {
    const own = { model: model.name, recipe: recipe.recipe.name };
    const stored = known.variants.find((each) => each.model === own.model && each.recipe === own.recipe);
    return {
      ...own,
      fileBytes: stored?.fileBytes ?? known.modelBytes.get(own.model) ?? null,
      compressSeconds: stored ? stageSeconds(stored.stages) : null,
    };
  });
  const compressing = made.flatMap(({ compressSeconds }) => compressSeconds ?? []);
  return {
    suite: suite.name,
    variants: made,
    devices: devices.map(({ name }, index) => ({
      name,
      cells: over(() => 1, index),
      rounds: over(({ count }) => count, index),
      seconds: over(({ seconds }) => seconds, index),
      knownRounds: over(({ count, isKnown }) => (isKnown ? count : 0), index),
    })),
    ...{ cells: cells.length, rounds: rounds.length },
    seconds: longest(({ seconds }) => seconds),
    mostSeconds: mostRounds === undefined ? null : longest(({ most }) => most),
    compressSeconds: compressing.length === 0 ? null : compressing.reduce((sum, each) => sum + each, 0),
    cacheBytes: made.reduce((sum, { fileBytes }) => sum + (fileBytes ?? 0), 0),
  };
}

/** Seconds of a round of like cells; undefined where none is stored. */
function secondsSeen(
  durations: readonly StoredDuration[],
  { device, model, recipe }: Pick<StoredDuration, 'device' | 'model' | 'recipe'>,
  scenario: Scenario,
): number | undefined {
  const like = durations.filter(
    (each) =>
      each.device === device &&
      each.kind === scenario.kind &&
      each.batch === scenario.batch &&
      (!isTimed(scenario) || (each.tier === scenario.tier && each.rounds === scenario.rounds)),
  );
  const ofModel = like.filter((each) => each.model === model);
  for (const some of [ofModel.filter((each) => each.recipe === recipe), ofModel, like])
    if (some.length > 0) return mean(some.map(({ seconds }) => seconds));
  return undefined;
}

const stagesSchema = z.array(z.looseObject({ seconds: z.number().nullish() }));

/** @returns null where they are stored in a form that this version does not know */
function stageSeconds(stages: string): number | null {
  const reports = stagesSchema.safeParse(JSON.parse(stages)).data;
  return reports ? reports.reduce((sum, { seconds }) => sum + (seconds ?? 0), 0) : null;
}
