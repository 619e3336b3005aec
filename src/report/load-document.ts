import { judgementOf, type VariantFigures } from '../analysis/analysis.js';
import type { OfflineFigures, ServerFigures } from '../analysis/figures/load.js';
import type { Flag } from '../analysis/figures/validity.js';
import type { LoadOutcome } from '../stats/load.js';
import type { Estimate } from '../stats/interval.js';
import { flagText } from '../text/flags.js';
import { judgementDocument, type JudgementDocument } from './compare/document.js';

/** A value that is null where it is not known or does not apply. */
type Maybe<T> = T | null;

/** What is common to loads. */
interface LoadDocument {
  /** Images of a query. */
  readonly batch: number;
  readonly tier: string;
  /** That count. */
  readonly rounds: number;
  /** Rounds that others disturbed, and whether a verdict can be given all the same. */
  readonly disturbedRounds: number;
  readonly decided: boolean;
  /** How many times as much as the baseline's, in the same rounds. */
  readonly gain: Maybe<Estimate>;
  /** What speaks against the figures, in words. */
  readonly flags: readonly { readonly name: Flag['kind']; readonly text: string }[];
  /** Against the baseline. */
  readonly judgement: Maybe<JudgementDocument>;
}

/** `ServerFigures` with null for undefined. */
export interface ServerDocument extends LoadDocument {
  readonly p99BoundMilliseconds: number;
  /** The highest rate that holds. */
  readonly rateQueriesPerSecond: Maybe<Estimate>;
  /** In which no rate held; then there is no highest one. */
  readonly roundsWithoutRate: number;
  /** Whether in one of them the model alone took longer than the bound. */
  readonly modelTooSlow: boolean;
  /** At the highest rate that held, means over the rounds. */
  readonly p99Milliseconds: Maybe<number>;
  readonly utilisation: Maybe<number>;
  /** The p99 of how late queries were started though nothing was before them, in the worst round. */
  readonly lateStartMilliseconds: number;
  /** One of each round: the rates in the order they were tried. */
  readonly searches: readonly {
    readonly round: number;
    readonly narrowed: boolean;
    readonly tried: readonly {
      readonly rate: number;
      readonly planned: number;
      readonly served: number;
      readonly outcome: LoadOutcome;
      readonly p99Milliseconds: Maybe<number>;
      readonly utilisation: number;
    }[];
  }[];
}

/** `OfflineFigures` with null for undefined. */
export interface OfflineDocument extends LoadDocument {
  readonly queries: number;
  readonly throughputImagesPerSecond: Maybe<Estimate>;
}

/**
 * What a server's cell says, for programs.
 *
 * @param server - its figures
 * @param figures - of the variant on the device
 */
export function serverDocument(server: ServerFigures, figures: VariantFigures): ServerDocument {
  return {
    ...common(server, figures),
    p99BoundMilliseconds: server.bound,
    rateQueriesPerSecond: server.rate ?? null,
    roundsWithoutRate: server.missed,
    modelTooSlow: server.hopeless,
    p99Milliseconds: server.p99 ?? null,
    utilisation: server.utilisation ?? null,
    lateStartMilliseconds: server.startDelay,
    searches: server.searches.map(({ round, narrowed, tried }) => ({
      ...{ round, narrowed },
      tried: tried.map(({ p99, ...each }) => ({ ...each, p99Milliseconds: p99 ?? null })),
    })),
  };
}

/**
 * What a cell of offline throughput says, for programs.
 *
 * @param offline - its figures
 * @param figures - of the variant on the device
 */
export function offlineDocument(offline: OfflineFigures, figures: VariantFigures): OfflineDocument {
  const { queries, throughput } = offline;
  return { ...common(offline, figures), queries, throughputImagesPerSecond: throughput ?? null };
}

function common(load: ServerFigures | OfflineFigures, figures: VariantFigures): LoadDocument {
  const { kind, batch, tier, rounds, soundness, gain, flags } = load;
  const judgement = judgementOf(figures, kind === 'server' ? 'rate' : 'throughput', batch);
  return {
    ...{ batch, tier, rounds, disturbedRounds: soundness.disturbed, decided: soundness.decides },
    gain: gain ? { value: gain.value, low: gain.low, high: gain.high } : null,
    flags: flags.map((flag) => ({ name: flag.kind, text: flagText(flag) })),
    judgement: judgement ? judgementDocument(judgement) : null,
  };
}
