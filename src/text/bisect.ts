import type { Commit } from '../base/commit.js';
import type { Bisection, BisectedCommit, FirstBad } from '../analysis/bisect/bisection.js';
import type { Evidence, Trait } from '../analysis/bisect/evidence.js';
import { wordFor } from '../analysis/compare/judge.js';
import type { Metric } from '../base/metric.js';
import type { Estimate } from '../stats/interval.js';
import { commitLabel } from './commits.js';
import { obstacleText } from './compare/obstacles.js';
import { amount, metricNames } from './compare/words.js';
import * as format from './format.js';
import type { Table } from './table.js';

/** What a test of a commit found. */
interface TestedCommit {
  readonly commit: Commit;
  readonly evidence: Evidence | undefined;
  /** Why it cannot be tested. */
  readonly skipped: string | undefined;
  readonly first: FirstBad;
  /** Tests that are left at most. */
  readonly left: number;
}

/**
 * What a test of a commit found, as a line.
 *
 * @param test - the test
 * @param metric - that is looked at
 */
export function testedText({ commit, evidence, skipped, first, left }: TestedCommit, metric: Metric): string {
  const found =
    evidence === undefined ? `skipped: ${format.oneLine(skipped ?? '')}` : evidenceText(evidence, metric);
  return `${commitLabel(commit)}: ${found}\n  ${firstText(first)}; at most ${left} more tests`;
}

/** What a test says: `4.9 % slower than the good commit, bad with 98 %`. */
function evidenceText(evidence: Evidence, metric: Metric): string {
  switch (evidence.kind) {
    case 'measured':
      return `${changeText(metric, evidence.change)} than the good commit: bad with a probability of ${percent(evidence.bad)}`;
    case 'failed':
      return 'its cell failed';
    case 'undecided':
      return obstacleText(evidence.obstacle);
    case 'absent':
      return 'its suite does not have the cell';
  }
}

function changeText(metric: Metric, { value }: Estimate): string {
  return `${amount(metric, Math.abs(value))} ${wordFor(metric, value)}`;
}

/** Where the first bad commit is. */
function firstText({ commits, probability }: FirstBad): string {
  const [only] = commits;
  const names =
    only !== undefined && commits.length === 1
      ? commitLabel(only)
      : `one of ${commits.map(({ hash }) => hash.slice(0, 9)).join(', ')}`;
  return `first bad commit: ${names} (probability ${percent(probability)})`;
}

/** A probability that is never said to be certain. */
function percent(probability: number): string {
  if (probability > 0.999) return '> 99.9 %';
  return probability < 0.001 ? '< 0.1 %' : `${format.percent(probability)} %`;
}

/** What a trait is of: `int8, batch 8: latency`. */
function traitText({ subject, metric }: Trait): string {
  const { model, recipe, device, batch } = subject;
  const where = [
    `${model} / ${recipe}`,
    ...(device === undefined ? [] : [device]),
    ...(batch === undefined ? [] : [`batch ${batch}`]),
  ];
  return `${where.join(', ')}: ${metricNames[metric]}`;
}

/**
 * How a search ended: a sentence for the end, and what it was about.
 *
 * @param bisection - the search
 */
export function bisectionSentences({ good, bad, trait, first, isFound }: Bisection): string[] {
  const { metric, change } = trait;
  const difference =
    change === undefined
      ? 'failed in the bad commit'
      : `${changeText(metric, change)} in ${commitLabel(bad)} than in ${commitLabel(good)}`;
  const half = change === undefined ? '' : ' A commit counts as bad if it changed by more than half of that.';
  return [
    ...(isFound ? [firstText(first)] : [`Not decided. Most likely ${firstText(first)}.`]),
    `${traitText(trait)} ${difference}.${half}`,
  ];
}

/**
 * The commits of a search with what is known of each.
 *
 * @param bisection - the search
 */
export function bisectionTable({ commits, trait }: Bisection): Table {
  return {
    columns: [
      { key: 'commit', title: 'commit', align: 'left' },
      { key: 'probability', title: 'first bad', align: 'right' },
      { key: 'change', title: 'since good', align: 'left' },
      { key: 'subject', title: 'message', align: 'left', spare: 1 },
    ],
    rows: commits.map((each) => ({
      commit: each.commit.hash.slice(0, 9),
      probability: percent(each.probability),
      change: stateText(each, trait.metric),
      subject: each.commit.subject,
    })),
    notes: [],
  };
}

function stateText({ tests, skipped }: BisectedCommit, metric: Metric): string {
  if (skipped !== undefined) return `skipped: ${format.oneLine(skipped).slice(0, 60)}`;
  return tests
    .map(({ evidence }) => {
      if (evidence.kind === 'measured') return changeText(metric, evidence.change);
      return evidence.kind === 'failed' ? 'failed' : 'not decided';
    })
    .join(', ');
}
