import type { Design, DesignPoint } from '../../base/design.js';
import { holm } from '../../stats/holm.js';
import type { Estimate } from '../../stats/interval.js';
import type { StoredDevice, StoredRun } from '../../store/read.js';
import { SIGNIFICANCE } from '../compare/judge.js';
import { attributionOf } from './attribution.js';
import { estimatorOf, levelOf, type Contrast, type MeasuredPoint, type Replicates } from './estimator.js';
import {
  ablationMetrics,
  isResponse,
  responseOf,
  sameMemoryMeans,
  type AblationMetric,
  type NoResponse,
  type Subject,
} from './responses.js';
import { fittedTerms, type Term, type TermPart } from './terms.js';

/** The effect of a factor, or of two on each other. */
export interface FactorEffect {
  readonly term: Term;
  /**
   * How many times as much latency, memory or file; of accuracy a difference of shares. Of an interaction, how many times as much as
   * both effects make by themselves; of accuracy the difference.
   */
  readonly effect: Estimate;
  /** Undefined where nothing is left to chance, or there is nothing to tell chance by. */
  readonly p: number | undefined;
  /** After Holm's correction over all effects of the run in this metric. */
  readonly adjustedP: number | undefined;
  readonly significant: boolean;
  /** What it cannot be told from in this design. */
  readonly aliases: readonly Term[];
}

/** What a factor gives of the whole difference. */
export interface AttributedPart {
  readonly part: TermPart;
  /** As `FactorEffect.effect`: the product of all, or of accuracy the sum, is the whole difference. */
  readonly effect: Estimate;
}

/** The whole difference, and who it is due to. */
export interface AttributedGain {
  /** All factors at their first level and at their last: milliseconds, bytes, or a share of right answers. */
  readonly from: number;
  readonly to: number;
  readonly total: Estimate;
  /** By Shapley's values. */
  readonly parts: readonly AttributedPart[];
}

/** The figure at two factors' levels, averaged over the others. */
export interface PairMean {
  /** Names of the factors and of their levels. */
  readonly factors: readonly [string, string];
  readonly levels: readonly [string, string];
  /** Milliseconds, bytes, or a share of right answers. */
  readonly value: number;
}

/** A variant of the design that says nothing, and why. */
export interface MissingVariant {
  readonly recipe: string;
  readonly because: NoResponse;
}

/** The effects on one figure of a model on a device. */
export interface AblationPanel {
  readonly model: string;
  readonly device: StoredDevice;
  readonly metric: AblationMetric;
  /** Of latency and memory. */
  readonly batch: number | undefined;
  readonly replicates: Replicates;
  /** Main effects first. */
  readonly effects: readonly FactorEffect[];
  /** Undefined where not every subset was measured, or there are too few or too many factors. */
  readonly attribution: AttributedGain | undefined;
  /** Only of designs that have interactions. */
  readonly means: readonly PairMean[];
  readonly missing: readonly MissingVariant[];
}

/** What the factors of a run's matrix do. */
export interface Ablation {
  readonly design: Design;
  readonly panels: readonly AblationPanel[];
}

/**
 * The effects of the factors of a run's matrix on latency, memory, size and accuracy.
 *
 * @param run - the stored run
 * @returns undefined where its suite has no matrix; without panels where too little was measured
 */
export function ablationOf(run: StoredRun): Ablation | undefined {
  const { design } = run;
  if (design === undefined) return undefined;
  const models = [...new Set(run.variants.map(({ model }) => model))];
  const batches = [
    ...new Set(run.cells.flatMap(({ row }) => (row.kind === 'performance' ? [row.batch] : []))),
  ];
  batches.sort((a, b) => a - b);
  const subjects = models.flatMap((model) =>
    run.devices.flatMap((device) =>
      ablationMetrics.flatMap((metric): Subject[] =>
        (metric === 'latency' || metric === 'memory' ? batches : [undefined]).map((batch) => ({
          ...{ run, model, device, metric, batch },
        })),
      ),
    ),
  );
  const panels = subjects.flatMap((subject) => panelOf(subject, design) ?? []);
  return { design, panels: corrected(panels) };
}

function panelOf(subject: Subject, design: Design): AblationPanel | undefined {
  const { metric } = subject;
  const found = design.points.map((point) => ({ point, response: responseOf(subject, point.recipe) }));
  const measured = found.flatMap(({ point, response }): MeasuredPoint[] =>
    isResponse(response) ? [{ point, response }] : [],
  );
  const rounds = measured.flatMap(({ response }) => (response.kind === 'rounds' ? [response] : []));
  if (measured.length < 2 || (metric === 'memory' && !sameMemoryMeans(rounds))) return undefined;
  const seed = design.factors.findIndex(({ kind }) => kind === 'seed');
  const estimator = estimatorOf(measured, seed, metric);
  const points = measured.map(({ point }) => point);
  const effects = fittedTerms(design, points).map(({ term, weights, aliases }): FactorEffect => {
    const contrast = estimator.estimate(weights);
    return {
      ...{ term, aliases, effect: shown(metric, contrast), p: contrast.p },
      ...{ adjustedP: undefined, significant: false },
    };
  });
  if (effects.length === 0) return undefined;
  const attribution = attributionOf(design, measured, estimator);
  const { model, device, batch } = subject;
  return {
    ...{ model, device, metric, batch, effects, replicates: estimator.replicates },
    attribution: attribution && {
      from: figure(metric, attribution.from),
      to: figure(metric, attribution.to),
      total: shown(metric, attribution.total),
      parts: attribution.parts.map(({ part, value }) => ({ part, effect: shown(metric, value) })),
    },
    means: effects.some(({ term }) => term.length > 1) ? meansOf(design, measured, metric) : [],
    missing: missingOf(found),
  };
}

/** Logarithms back to what they are of. */
function figure(metric: AblationMetric, value: number): number {
  return metric === 'accuracy' ? value : Math.exp(value);
}

function shown(metric: AblationMetric, { value, low, high }: Contrast): Estimate {
  return { value: figure(metric, value), low: figure(metric, low), high: figure(metric, high) };
}

function missingOf(
  found: readonly { readonly point: DesignPoint; readonly response: ReturnType<typeof responseOf> }[],
): MissingVariant[] {
  const missing = new Map<string, MissingVariant>();
  for (const { point, response } of found)
    if (!isResponse(response)) missing.set(point.recipe, { recipe: point.recipe, because: response });
  return [...missing.values()];
}

function meansOf(
  { factors }: Design,
  measured: readonly MeasuredPoint[],
  metric: AblationMetric,
): PairMean[] {
  const varied = [...factors.entries()].filter(([, { kind }]) => kind !== 'seed');
  return varied.flatMap(([first, a], index) =>
    varied.slice(index + 1).flatMap(([second, b]) =>
      a.levels.flatMap((levelA, placeA) =>
        b.levels.flatMap((levelB, placeB): PairMean[] => {
          const own = measured.filter(
            ({ point: { levels } }) => levels[first] === placeA && levels[second] === placeB,
          );
          if (own.length === 0) return [];
          const mean = own.reduce((sum, { response }) => sum + levelOf(response), 0) / own.length;
          const [names, levels] = [[a.name, b.name] as const, [levelA, levelB] as const];
          return [{ factors: names, levels, value: figure(metric, mean) }];
        }),
      ),
    ),
  );
}

/** Effects with Holm's correction: one family for each metric. */
function corrected(panels: readonly AblationPanel[]): AblationPanel[] {
  const adjusted = new Map<FactorEffect, number>();
  for (const metric of ablationMetrics) {
    const family = panels.flatMap((panel) =>
      panel.metric === metric
        ? panel.effects.flatMap((effect) => (effect.p === undefined ? [] : [{ effect, p: effect.p }]))
        : [],
    );
    const values = holm(family.map(({ p }) => p));
    for (const [index, { effect }] of family.entries()) adjusted.set(effect, values[index] ?? 1);
  }
  return panels.map((panel) => ({
    ...panel,
    effects: panel.effects.map((each) => {
      const adjustedP = adjusted.get(each);
      const nothing = panel.metric === 'accuracy' ? 0 : 1;
      const certain = panel.replicates.kind === 'exact' && Math.abs(each.effect.value - nothing) > 1e-9;
      const significant = adjustedP === undefined ? certain : adjustedP <= SIGNIFICANCE;
      return { ...each, adjustedP, significant };
    }),
  }));
}
