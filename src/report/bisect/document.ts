import type { Bisection } from '../../analysis/bisect/bisection.js';
import type { Evidence } from '../../analysis/bisect/evidence.js';
import type { Metric } from '../../base/metric.js';
import type { Estimate } from '../../stats/interval.js';

/** The search for a first bad commit, for programs. */
export interface BisectionDocument {
  readonly suite: string;
  /** Hashes of commits. */
  readonly good: string;
  readonly bad: string;
  /** The figure that tells bad commits from good ones. */
  readonly metric: Metric;
  readonly model: string;
  readonly recipe: string;
  /** Null where it does not depend on the device. */
  readonly device: string | null;
  /** Null where it does not depend on the batch size. */
  readonly batch: number | null;
  /** From the good to the bad commit, `value ÷ reference − 1`, of scores a difference, with its 95 % interval; null where the cell failed in the bad one. */
  readonly change: Estimate | null;
  /** Those between the good and the bad one, in their order; the last is the bad one. */
  readonly commits: readonly {
    readonly commit: string;
    readonly subject: string;
    /** That it is the first bad one. */
    readonly probability: number;
    readonly tests: readonly {
      readonly run: string;
      /** That of the good commit, measured in turn with it. */
      readonly reference: string;
      readonly kind: Evidence['kind'];
      /** From the good commit to this one; null where it was not measured. */
      readonly change: Estimate | null;
      /** How likely this test alone makes the commit a bad one; null where it tells nothing. */
      readonly bad: number | null;
    }[];
    /** Why it cannot be tested; null where it can. */
    readonly skipped: string | null;
  }[];
  /** The first bad commit is one of these. */
  readonly first: { readonly commits: readonly string[]; readonly probability: number };
  /** Whether that is as sure as it was asked to be. */
  readonly found: boolean;
}

/**
 * The search for a first bad commit, for programs.
 *
 * @param bisection - how it ended
 */
export function bisectionDocument(bisection: Bisection): BisectionDocument {
  const { suite, good, bad, trait, commits, first, isFound } = bisection;
  const { model, recipe, device, batch } = trait.subject;
  return {
    ...{ suite, good: good.hash, bad: bad.hash, metric: trait.metric },
    ...{ model, recipe, device: device ?? null, batch: batch ?? null, change: trait.change ?? null },
    commits: commits.map(({ commit, probability, tests, skipped }) => ({
      ...{ commit: commit.hash, subject: commit.subject, probability, skipped: skipped ?? null },
      tests: tests.map(({ run, reference, evidence }) => ({
        ...{ run, reference, kind: evidence.kind },
        change: evidence.kind === 'measured' ? evidence.change : null,
        bad: 'bad' in evidence ? evidence.bad : null,
      })),
    })),
    first: { commits: first.commits.map(({ hash }) => hash), probability: first.probability },
    found: isFound,
  };
}
