import type { StoredDevice } from '../store/read.js';
import { judgementOf, type Analysis, type VariantFigures } from './analysis.js';
import { isWorse, type Judgement } from './compare/judge.js';
import type { LatencyFigures } from './figures/latency.js';
import { isEmulated } from './label.js';

/** A cell that is told from the baseline's, and by how much. */
export interface Gain {
  readonly figures: VariantFigures;
  readonly latency: LatencyFigures;
  readonly judgement: Judgement;
}

/** A variant at a batch size; without one where the figure has none. */
export interface NamedCell {
  readonly figures: VariantFigures;
  readonly batch: number | undefined;
}

/** Where compression did not do what it is for, or where that is not known. */
export interface Exceptions {
  readonly slower: readonly NamedCell[];
  readonly larger: readonly NamedCell[];
  /** Fewer right answers, or features that lie further from fp32's, by more than chance. */
  readonly lessAccurate: readonly NamedCell[];
  /** Neither faster nor slower by what was measured. */
  readonly speedNotTold: readonly NamedCell[];
  /** Something speaks against the figures. */
  readonly inDoubt: readonly NamedCell[];
  readonly failed: readonly NamedCell[];
  readonly unsupported: readonly NamedCell[];
  readonly pending: readonly NamedCell[];
}

/** What a run says of a model on a device, in three parts: what compression bought, what it cost, and where that does not hold. */
export interface Answer {
  readonly model: string;
  readonly device: StoredDevice;
  /** No hardware of its own: what is bought on it says nothing of the hardware. */
  readonly emulated: boolean;
  /** How many variants were timed beside fp32. */
  readonly compared: number;
  /** Whether the speed of any variant could be judged: not where others disturbed all of them. */
  readonly judgesSpeed: boolean;
  /** Whether the device tells how much memory a variant needs. */
  readonly tellsMemory: boolean;
  /** Whether each variant was timed in one round only, which has no interval, so that nothing timed is told from chance. */
  readonly hasOneRound: boolean;
  /** Batch sizes that were timed, ascending. */
  readonly batches: readonly number[];
  /** The largest gain in speed that is told from chance and noise. */
  readonly fastest: Gain | undefined;
  /** The same of peak memory. */
  readonly smallest: Gain | undefined;
  /** Of the variants with these gains: what they lost in accuracy; in the order of the gains, each once. */
  readonly losses: readonly VariantFigures[];
  readonly exceptions: Exceptions;
}

/**
 * The answers of a run: one for each model on each device that measured anything beside fp32.
 *
 * @param analysis - of a run
 * @returns hardware first; none where nothing was compressed
 */
export function answersOf(analysis: Analysis): Answer[] {
  const models = [...new Set(analysis.run.variants.map(({ model }) => model))];
  const answers = analysis.run.devices.flatMap((device) =>
    models.flatMap((model) => {
      const all = analysis.figures.filter((each) => each.device === device && each.variant.model === model);
      const compressed = all.filter(({ isBaseline }) => !isBaseline);
      return compressed.length === 0 ? [] : [answerOf(model, device, compressed)];
    }),
  );
  return answers.sort((a, b) => Number(a.emulated) - Number(b.emulated));
}

function answerOf(model: string, device: StoredDevice, compressed: readonly VariantFigures[]): Answer {
  const timed = compressed.flatMap((figures) => figures.latencies.map((latency) => ({ figures, latency })));
  const fastest = best(timed, 'latency', 'faster', ({ speedup }) => speedup?.value);
  const smallest = best(timed, 'memory', 'smaller', ({ memory }) => memory?.reduction);
  const gaining = [fastest, smallest].flatMap((gain) => (gain === undefined ? [] : [gain.figures]));
  return {
    ...{ model, device, emulated: isEmulated(device), fastest, smallest },
    judgesSpeed: compressed.some(({ judgements }) =>
      judgements.some(({ judgement }) => judgement.metric === 'latency'),
    ),
    tellsMemory: timed.some(({ latency }) => latency.memory !== undefined),
    hasOneRound: timed.length > 0 && timed.every(({ latency }) => latency.rounds === 1),
    compared: new Set(timed.map(({ figures }) => figures)).size,
    batches: [...new Set(timed.map(({ latency }) => latency.batch))].sort((a, b) => a - b),
    losses: [...new Set(gaining)],
    exceptions: exceptionsOf(compressed),
  };
}

function best(
  timed: readonly Pick<Gain, 'figures' | 'latency'>[],
  metric: 'latency' | 'memory',
  verdict: Judgement['verdict'],
  gainOf: (latency: LatencyFigures) => number | undefined,
): Gain | undefined {
  const told = timed.flatMap((cell) => {
    const judgement = judgementOf(cell.figures, metric, cell.latency.batch);
    const gain = gainOf(cell.latency);
    return judgement?.verdict === verdict && gain !== undefined ? [{ ...cell, judgement, gain }] : [];
  });
  const [first] = told.sort((a, b) => b.gain - a.gain);
  return first && { figures: first.figures, latency: first.latency, judgement: first.judgement };
}

function exceptionsOf(compressed: readonly VariantFigures[]): Exceptions {
  const told = (metrics: readonly string[], holds: (judgement: Judgement) => boolean): NamedCell[] =>
    compressed.flatMap((figures) =>
      figures.judgements
        .filter(({ judgement }) => metrics.includes(judgement.metric) && holds(judgement))
        .map(({ kind, batch }) => ({ figures, batch: kind === 'accuracy' ? undefined : batch })),
    );
  const worse = (judgement: Judgement): boolean =>
    judgement.verdict !== 'not distinguishable' && isWorse(judgement.metric, judgement.change.value);
  const stopped = (status: 'failed' | 'unsupported'): NamedCell[] =>
    compressed.flatMap((figures) =>
      figures.failures
        .filter((each) => each.status === status)
        .map(({ kind, batch }) => ({ figures, batch: kind === 'accuracy' ? undefined : batch })),
    );
  return {
    slower: told(['latency'], worse),
    larger: told(['memory'], worse),
    lessAccurate: told(['accuracy', 'cosine'], worse),
    speedNotTold: told(['latency'], ({ verdict }) => verdict === 'not distinguishable'),
    inDoubt: compressed.flatMap((figures) =>
      figures.latencies.filter(({ flags }) => flags.length > 0).map(({ batch }) => ({ figures, batch })),
    ),
    failed: stopped('failed'),
    unsupported: stopped('unsupported'),
    pending: compressed.flatMap((figures) => figures.pending.map(({ batch }) => ({ figures, batch }))),
  };
}
