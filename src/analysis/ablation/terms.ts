import { defined } from '../../base/defined.js';
import type { Design, DesignFactor, DesignPoint } from '../../base/design.js';
import { dot, leastSquares } from '../../stats/least-squares.js';

/** A level of a factor against the factor's first. */
export interface TermPart {
  readonly factor: string;
  readonly level: string;
  readonly reference: string;
}

/** One part is a main effect, two are an interaction: what the one changes in the effect of the other. */
export type Term = readonly TermPart[];

/** A term, and how its coefficient follows from the points' responses. */
export interface FittedTerm {
  readonly term: Term;
  /** Of each point. */
  readonly weights: readonly number[];
  /** What cannot be told from it in this design: the coefficient is of all of them together. */
  readonly aliases: readonly Term[];
}

/** A term and its column of the model matrix. */
interface Candidate {
  readonly term: Term;
  readonly column: readonly number[];
}

/**
 * The main effects of a design's factors, and the interactions of two where the design has them, as weighted sums of the responses of
 * its points, by least squares. Columns are coded around 0 (`level − 1 ÷ number of levels`), so that in a full factorial a main effect
 * is the mean of the differences over all levels of the others, and an interaction the difference of differences. Of designs that vary
 * one factor at a time an effect is the difference alone.
 *
 * @param design - of the run; seeds are replicates and no factor
 * @param points - those that were measured
 */
export function fittedTerms({ kind, factors }: Design, points: readonly DesignPoint[]): FittedTerm[] {
  const mains = factors.flatMap((factor, index) =>
    factor.kind === 'seed' ? [] : mainsOf(factor, index, points),
  );
  const alone = kind === 'one-at-a-time' || kind === 'leave-one-out';
  const candidates = [...mains, ...(alone ? [] : interactionsOf(mains))];
  const mean = points.map(() => 1);
  const { kept, weights } = leastSquares([mean, ...candidates.map(({ column }) => column)]);
  const fitted = new Set(kept);
  const dropped = candidates.filter((_, index) => !fitted.has(index + 1));
  return kept.flatMap((column, place) => {
    if (column === 0) return [];
    const { term } = defined(candidates[column - 1], 'a term');
    const own = defined(weights[place], 'its weights');
    const aliases = dropped.filter((other) => Math.abs(dot(own, other.column)) > 1e-6);
    return [{ term, weights: own, aliases: aliases.map((other) => other.term) }];
  });
}

function mainsOf(factor: DesignFactor, index: number, points: readonly DesignPoint[]): Candidate[] {
  const [reference, ...others] = factor.levels;
  if (reference === undefined) return [];
  return others.map((level, place) => ({
    term: [{ factor: factor.name, level, reference }],
    column: points.map(({ levels }) => Number(levels[index] === place + 1) - 1 / factor.levels.length),
  }));
}

function interactionsOf(mains: readonly Candidate[]): Candidate[] {
  return mains.flatMap((first, index) =>
    mains
      .slice(index + 1)
      .filter(({ term }) => term[0]?.factor !== first.term[0]?.factor)
      .map((second) => ({
        term: [...first.term, ...second.term],
        column: first.column.map((value, row) => value * defined(second.column[row], 'a point')),
      })),
  );
}
