import type { Commit } from '../../base/commit.js';
import type { Evidence, Trait } from './evidence.js';

/** A test of a commit. */
export interface CommitTest {
  /** Its run. */
  readonly run: string;
  /** That of the good commit, measured in turn with it. */
  readonly reference: string;
  readonly evidence: Evidence;
}

/** A commit between the good and the bad one. */
export interface BisectedCommit {
  readonly commit: Commit;
  /** How likely it is the first bad one. */
  readonly probability: number;
  readonly tests: readonly CommitTest[];
  /** Why it cannot be tested; undefined where it can. */
  readonly skipped: string | undefined;
}

/** The first bad commit is one of these: one, or several of which all but the last cannot be tested. */
export interface FirstBad {
  readonly commits: readonly Commit[];
  readonly probability: number;
}

/** How a search for the first bad commit ended. */
export interface Bisection {
  readonly suite: string;
  readonly good: Commit;
  readonly bad: Commit;
  /** What tells bad from good. */
  readonly trait: Trait;
  /** In their order; the last is the bad one. */
  readonly commits: readonly BisectedCommit[];
  readonly first: FirstBad;
  /** Whether that is as sure as it was asked to be. */
  readonly isFound: boolean;
}
