import { defined } from '../base/defined.js';
import type { Estimate } from '../stats/interval.js';
import type { ViT } from '../vit/vit.js';
import type { StageContext } from './context.js';
import { chancesOf, nextToTry } from './halving.js';
import type { Judge, Judged, LossBound } from './judge.js';
import type { LossKind } from './loss.js';

/** A model that a budget of accuracy may be spent on. */
export interface Candidate {
  /** Tells it apart from the others, in any run. */
  readonly name: string;
  /** What it is, for the progress. */
  readonly what: string;
  readonly make: () => Promise<ViT>;
  /** Share of the images that is expected to change class; undefined where nobody can say. Larger for each that is less gentle. */
  readonly expected?: number;
}

/** What a model that was tried lost. */
export interface Lost {
  /** In percentage points, with its 95 % interval. */
  readonly points: Estimate;
  /** Share of the images that get another class. */
  readonly changed: number;
  /** Percentage points that the images whose class changed are expected to cost. */
  readonly expected: number;
  /** What that stays below with the confidence that was asked for, in percentage points. */
  readonly atMost: number;
  /** Images that the model ran on; all others were too sure to change. */
  readonly ran: number;
  readonly passes: boolean;
}

/** How a budget of accuracy was spent. */
export interface AccuracyOutcome<Tried> {
  /** What was lost: accuracy, or agreement with the model before the stage. */
  readonly kind: LossKind;
  /** Percentage points that may be lost. */
  readonly allowed: number;
  readonly confidence: number;
  /** Held-out training images. */
  readonly images: number;
  /** Share of them that the model classified rightly before; undefined where accuracy means nothing. */
  readonly accuracy: number | undefined;
  /** What was taken; undefined where even the gentlest lost too much, so that the model stays as it was. */
  readonly chosen: (Tried & Lost) | undefined;
  /** All that was tried, in order. */
  readonly tried: readonly (Tried & Lost)[];
}

/**
 * Spends a budget of accuracy: of candidates that lose more and more, finds by halving the last that is sure enough to stay within it
 * on images that nothing was calibrated on; where what they change is known about, it is their chances that are halved. The model that was
 * judged is the one that is given.
 *
 * @param context - checkpoints and progress
 * @param judge - says what is lost
 * @param candidates - the gentlest first, each with what is reported of it
 * @param bound - what may be lost
 * @param from - where in the stage's progress this begins
 * @returns the model, undefined where no candidate passes, and how it came to be chosen
 */
export async function spend<Tried extends object>(
  context: StageContext,
  judge: Judge,
  candidates: readonly (Candidate & { readonly facts: Tried })[],
  bound: LossBound,
  from: number,
): Promise<{ readonly vit: ViT | undefined; readonly outcome: AccuracyOutcome<Tried> }> {
  const tried: (Tried & Lost)[] = [];
  let best: { readonly vit: ViT; readonly found: Tried & Lost } | undefined;
  let [low, high] = [0, candidates.length];
  const most = Math.ceil(Math.log2(candidates.length + 1));
  const chances = chancesOf(
    candidates.map(({ expected }) => expected),
    bound.points / 100,
  );
  while (low < high) {
    const next = nextToTry(low, high, chances);
    const { name, what, make, facts } = defined(candidates[next], 'a candidate');
    context.onProgress(from + ((1 - from) * Math.min(tried.length, most)) / most, what);
    const vit = await make();
    const kept = await context.checkpoints.take<Judged>(name);
    const judged = kept?.value ?? (await judge.judge(vit, bound));
    if (kept === undefined) await context.checkpoints.put(name, { value: judged, tensors: new Map() });
    const { points, changed, expected, atMost, ran, passes } = judged;
    const found = { ...facts, points, changed, expected, atMost, ran, passes };
    tried.push(found);
    if (passes) {
      best = { vit, found };
      low = next + 1;
    } else high = next;
  }
  return {
    vit: best?.vit,
    outcome: {
      ...{ kind: judge.kind, allowed: bound.points, confidence: bound.confidence },
      ...{ images: judge.images, accuracy: judge.accuracy, chosen: best?.found, tried },
    },
  };
}
