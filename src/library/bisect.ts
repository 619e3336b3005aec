import { z } from 'zod';
import type { Commit } from '../base/commit.js';
import { defined } from '../base/defined.js';
import { InputError } from '../base/errors.js';
import { gateName, storedGatesSchema, type Gate } from '../base/gate.js';
import type { Metric } from '../base/metric.js';
import { Job } from '../base/job.js';
import { compareRuns, type Comparison } from '../analysis/compare/compare.js';
import { checkGates, parseGates } from '../analysis/compare/gates.js';
import type { BisectedCommit, Bisection, CommitTest, FirstBad } from '../analysis/bisect/bisection.js';
import { evidenceOf, traitOf, type Evidence } from '../analysis/bisect/evidence.js';
import { checkoutAt, commitAt, commitsBetween, short } from '../commits/checkout.js';
import { measureInTurn } from '../commits/measure.js';
import { Trees } from '../commits/trees.js';
import { commandWords, runWords } from '../commits/words.js';
import { bisectionDocument, type BisectionDocument } from '../report/bisect/document.js';
import { firstBad, likeliest, nextToTest, type BisectionTest } from '../stats/bisection.js';
import { listFloors } from '../store/floors.js';
import { findRun, loadRun } from '../store/read.js';
import { gateSentence } from '../text/compare/summary.js';
import { obstacleText } from '../text/compare/obstacles.js';
import { commitFields, environmentOf, type CommitEvent, type CommitOptions } from './gate.js';
import { checkedOptions, signalOf } from './options.js';
import { withResults } from './results.js';

/** How the first bad commit is looked for. */
export interface BisectOptions extends CommitOptions {
  /** A commit that is as it should be. */
  readonly good: string;
  /** A later one that is not. */
  readonly bad: string;
  /** What the bad commit breaks; left out, the gates of the suite. */
  readonly gates?: string | readonly Gate[] | undefined;
  /** How sure it must be before the search ends: 0.95 if left out. */
  readonly confidence?: number | undefined;
  /** Commits are measured so many times at most: 30 if left out. */
  readonly tests?: number | undefined;
}

const optionsSchema = z.strictObject({
  ...commitFields,
  good: z.string().min(1),
  bad: z.string().min(1),
  gates: z.union([z.string(), storedGatesSchema]).optional(),
  confidence: z.number().gt(0.5).lt(1).default(0.95),
  tests: z.number().int().positive().default(30),
});

/** What happens while the first bad commit is looked for. */
export type BisectEvent =
  | CommitEvent
  /** A commit was measured, or cannot be. */
  | {
      readonly kind: 'tested';
      readonly commit: Commit;
      readonly evidence: Evidence | undefined;
      readonly skipped: string | undefined;
      readonly first: FirstBad;
      /** Tests that are left at most. */
      readonly left: number;
      /** That is looked at. */
      readonly metric: Metric;
    };

/** The first bad commit, as far as it was found. */
export class FirstBadCommit {
  /** @internal */
  constructor(
    /** @internal */
    readonly bisection: Bisection,
  ) {}

  /** The search for programs: every commit with its tests and its probability. */
  get document(): BisectionDocument {
    return bisectionDocument(this.bisection);
  }
}

/** A commit whose figures others disturb so often is left out. */
const MOST_UNDECIDED = 3;

/**
 * Looks for the first commit that breaks a gate. Commits between the good and the bad one (by first parents) are measured in turn with the good one,
 * each in a work tree of its own. Each test makes some of them likelier by Bayes' theorem (see `firstBad`), and the next one halves what is
 * left; one that does not tell enough is repeated. Commits that cannot be made ready or measured are left out.
 *
 * @param results - the folder of the results, which is made where it is missing
 * @param suite - its file in the checkout, of each commit its own, or the name of a built-in one
 * @param options - between which commits, and what is bad
 * @returns a job that gives what was found
 * @throws InputError when the good commit is not before the bad one, one of both cannot be measured, or the bad one breaks no gate; the signal's
 *   reason when it fires
 *
 * @example
 * ```ts
 * const { document } = await bisect('results', 'suites/mine.yaml', { good: 'v1.2', bad: 'main', gates: 'latency@int8:3%' });
 * console.log(document.first.commits, document.first.probability);
 * ```
 */
export function bisect(
  results: string,
  suite: string,
  options: BisectOptions,
): Job<BisectEvent, FirstBadCommit> {
  return new Job(
    (emit) => bisected(results, suite, options, emit),
    () => false,
  );
}

/** The commits of a search with what is known of them. */
class Search {
  private readonly tests: CommitTest[][];
  private readonly skipped: (string | undefined)[];

  constructor(readonly commits: readonly Commit[]) {
    this.tests = commits.map(() => []);
    this.skipped = commits.map(() => undefined);
  }

  readonly isTestable = (index: number): boolean => this.skipped[index] === undefined;

  get probabilities(): number[] {
    const tests = this.tests.flatMap((own, index) =>
      own.flatMap(({ evidence }): BisectionTest[] =>
        'bad' in evidence ? [{ index, bad: evidence.bad }] : [],
      ),
    );
    return firstBad(this.commits.length, tests);
  }

  /** Takes what a test found, or why there is none. */
  add(index: number, test: CommitTest | string): void {
    if (typeof test === 'string') {
      this.skipped[index] = test;
      return;
    }
    const own = defined(this.tests[index], 'the tests of a commit');
    own.push(test);
    const { evidence } = test;
    if (evidence.kind === 'absent') this.skipped[index] = 'its suite does not have this cell';
    const undecided = own.filter((each) => each.evidence.kind === 'undecided').length;
    if (evidence.kind === 'undecided' && undecided >= MOST_UNDECIDED)
      this.skipped[index] = obstacleText(evidence.obstacle);
  }

  get first(): FirstBad {
    const { from, to, probability } = likeliest(this.probabilities, this.isTestable);
    return { commits: this.commits.slice(from, to + 1), probability };
  }

  get found(): BisectedCommit[] {
    const { probabilities } = this;
    return this.commits.map((commit, index) => ({
      commit,
      probability: defined(probabilities[index], 'the probability of a commit'),
      tests: defined(this.tests[index], 'the tests of a commit'),
      skipped: this.skipped[index],
    }));
  }
}

async function bisected(
  results: string,
  suite: string,
  options: BisectOptions,
  emit: (event: BisectEvent) => void,
): Promise<FirstBadCommit> {
  const asked = checkedOptions('bisect', options, optionsSchema);
  const signal = signalOf(asked);
  const command = commandWords(asked.command);
  const environment = environmentOf(asked.db);
  const checkout = await checkoutAt(process.cwd());
  const [good, bad] = [
    await commitAt(checkout, asked.good, '--good'),
    await commitAt(checkout, asked.bad, '--bad'),
  ];
  const search = new Search(await commitsBetween(checkout, good, bad));
  const words = runWords(suite, checkout, asked, { results, reports: asked.reports });
  const trees = new Trees(checkout, asked.setup, signal);
  const onLine = (of: 'base' | 'head', line: string): void => {
    emit({ kind: 'said', of, line });
  };
  try {
    emit({ kind: 'preparing', of: 'base', commit: good });
    const base = await trees.add(good);
    if (base.kind === 'failed') throw unusable('--good', good, base.said);
    /** Measures a commit in turn with the good one; why not, where it cannot be. */
    const measured = async (commit: Commit): Promise<{ base: string; head: string } | string> => {
      emit({ kind: 'preparing', of: 'head', commit });
      const tree = await trees.add(commit);
      try {
        if (tree.kind === 'failed') return tree.said;
        emit({ kind: 'measuring-commits', base: good, head: commit });
        const ends = await measureInTurn(
          [
            { name: 'base', directory: base.directory, branch: null },
            { name: 'head', directory: tree.directory, branch: null },
          ],
          { command, words, environment, signal, onLine },
        );
        if (ends.base.kind === 'failed') throw unusable('--good', good, ends.base.said);
        if (ends.head.kind === 'failed') return ends.head.said;
        if (ends.base.kind === 'stopped' || ends.head.kind === 'stopped')
          throw new Error('a run was stopped, though the other one had not failed');
        return { base: ends.base.run, head: ends.head.run };
      } finally {
        await trees.remove(commit);
      }
    };

    const worst = await measured(bad);
    if (typeof worst === 'string') throw unusable('--bad', bad, worst);
    const { comparison, gates, suiteName } = await compared(results, worst, asked.gates);
    const judged = checkGates(comparison, gates);
    const trait = traitOf(comparison, judged);
    if (trait === undefined)
      throw new InputError({
        source: '--bad',
        found: `${short(bad)}, which breaks no gate against ${short(good)}:\n${judged.map((each) => `  ${gateSentence(each, { comparison, gates: judged })}`).join('\n')}\n`,
        expected: `a commit that breaks one of ${gates.map(gateName).join(', ') || 'the gates, of which there are none'}`,
        hint: '--fail-on sets the gates; more rounds (--rounds) tell smaller changes.',
      });
    const last = search.commits.length - 1;
    search.add(last, {
      ...{ run: worst.head, reference: worst.base },
      evidence: evidenceOf(comparison, trait),
    });

    for (let left = asked.tests - 1; left > 0; left--) {
      if (search.first.probability >= asked.confidence) break;
      const index = nextToTest(search.probabilities, search.isTestable);
      if (index === undefined) break;
      const commit = defined(search.commits[index], 'a commit to test');
      const runs = await measured(commit);
      const test =
        typeof runs === 'string'
          ? runs
          : {
              ...{ run: runs.head, reference: runs.base },
              evidence: evidenceOf((await compared(results, runs, gates)).comparison, trait),
            };
      search.add(index, test);
      emit({
        ...{ kind: 'tested', commit, metric: trait.metric, first: search.first, left: left - 1 },
        evidence: typeof test === 'string' ? undefined : test.evidence,
        skipped: typeof test === 'string' ? test : undefined,
      });
    }
    const { first } = search;
    return new FirstBadCommit({
      ...{ suite: suiteName, good, bad, trait, first, commits: search.found },
      isFound: first.probability >= asked.confidence,
    });
  } finally {
    await trees.close();
  }
}

async function compared(
  results: string,
  { base, head }: { readonly base: string; readonly head: string },
  wanted: string | readonly Gate[] | undefined,
): Promise<{
  readonly comparison: Comparison;
  readonly gates: readonly Gate[];
  readonly suiteName: string;
}> {
  return withResults(results, { readonly: true }, async ({ db }) => {
    const [reference, run] = [
      await loadRun(db, await findRun(db, base)),
      await loadRun(db, await findRun(db, head)),
    ];
    const gates = typeof wanted === 'string' ? parseGates(wanted) : (wanted ?? run.gates);
    const p90 = gates.some(({ metric }) => metric === 'p90');
    const comparison = compareRuns(reference, run, { floors: await listFloors(db), p90, force: true });
    return { comparison, gates, suiteName: run.row.suite };
  });
}

function unusable(source: string, commit: Commit, said: string): InputError {
  return new InputError({
    source: `${source} ${short(commit)}`,
    found: `a commit that cannot be measured:\n${said}\n`,
    expected: 'that the good and the bad commit can be built and measured',
    hint: 'What a work tree needs and git does not hold is made by --setup; EDGEFLEX_CHECKOUT names the folder that it comes from.',
  });
}
