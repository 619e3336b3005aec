import { z } from 'zod';
import { confirmed, needConfirming } from '../analysis/compare/confirm.js';
import { storedGatesSchema, type Gate } from '../base/gate.js';
import { checkedAddress, SERVER_VARIABLE } from '../base/server-address.js';
import { InputError } from '../base/errors.js';
import { Job } from '../base/job.js';
import type { Commit } from '../base/commit.js';
import { ciBaseBranch } from '../base/ci-branch.js';
import { branchNamed, checkoutAt, commitAt, forkPoint, short } from '../commits/checkout.js';
import { measureInTurn, type Side, type SideEnd, type SideName } from '../commits/measure.js';
import { Trees } from '../commits/trees.js';
import { commandWords, runWords } from '../commits/words.js';
import type { SuiteChanges } from '../suite/changes.js';
import { compare, RunComparison } from './compare.js';
import { changeFields, checkedOptions, fields, signalOf, type Stoppable } from './options.js';

/** How commits are measured. Paths are relative to the working folder. */
export interface CommitOptions extends SuiteChanges, Stoppable {
  /** Makes the work tree of a commit ready, by the shell: `npm ci`. In `EDGEFLEX_CHECKOUT` is the root of the checkout it comes from. */
  readonly setup?: string | undefined;
  /** The command that measures a commit in its work tree, such as `npx edgeflex`; left out, this EdgeFlex measures all of them. */
  readonly command?: string | undefined;
  /** The address of a PostgreSQL database that gets the runs as well, as `db` of `run` does. */
  readonly db?: string | undefined;
  /** Where the reports of the runs go: `reports` if left out. */
  readonly reports?: string | undefined;
}

/** How a commit is judged against where it comes from. */
export interface GateOptions extends CommitOptions {
  /** The branch that the commit is to go into, or any commit: compared with is the last one that both have in common. */
  readonly base: string;
  /** The commit that is judged; left out, the working folder as it is, which must be ready to be measured. */
  readonly head?: string | undefined;
  /** What must not get worse; left out, the gates of the suite. */
  readonly gates?: string | readonly Gate[] | undefined;
  /** Where a figure breaks a gate: measure both once more, and let the gate fail only on what they show then, too. */
  readonly confirm?: boolean | undefined;
}

/** Of `CommitOptions`. */
export const commitFields = {
  signal: fields.signal,
  ...changeFields,
  setup: z.string().min(1).optional(),
  command: z.string().optional(),
  reports: z.string().min(1).default('reports'),
  db: z.string().optional(),
};

/**
 * What the runs of commits find in their environment beside what this process has: the address of the database, whose password is in no list
 * of processes.
 *
 * @param db - as it was given
 * @throws InputError when it is no address
 */
export function environmentOf(db: string | undefined): Readonly<Record<string, string>> {
  return db === undefined ? {} : { [SERVER_VARIABLE]: checkedAddress(db, '--db') };
}

const optionsSchema = z.strictObject({
  ...commitFields,
  confirm: z.boolean().default(false),
  base: z.string().min(1),
  head: z.string().min(1).optional(),
  gates: z.union([z.string(), storedGatesSchema]).optional(),
});

/** What happens while commits are measured. */
export type CommitEvent =
  /** The work tree of a commit is made ready. */
  | { readonly kind: 'preparing'; readonly of: SideName; readonly commit: Commit }
  /** Two commits are measured in turn; the head may be the working folder. */
  | { readonly kind: 'measuring-commits'; readonly base: Commit; readonly head: Commit | undefined }
  /** A gate is broken, and both are measured once more. */
  | { readonly kind: 'confirming' }
  /** What the run of one of them says of how far it is. */
  | { readonly kind: 'said'; readonly of: SideName; readonly line: string };

/**
 * Judges a commit by what it changes: measures it and the last commit that it has in common with its base in turn, round by round on the same
 * machine, and compares both.
 *
 * @param results - the folder of the results, which is made where it is missing
 * @param suite - its file in the checkout, of each commit its own, or the name of a built-in one
 * @param options - which commits, and how they are measured
 * @returns a job that gives the comparison of both runs
 * @throws InputError when there is no such commit, one of them cannot be made ready or measured, or the runs cannot be compared; the signal's
 *   reason when it fires
 *
 * @example
 * ```ts
 * const { broken } = await gate('results', 'suites/mine.yaml', { base: 'origin/main', setup: 'npm ci', gates: 'latency:3%' });
 * ```
 */
export function gate(results: string, suite: string, options: GateOptions): Job<CommitEvent, RunComparison> {
  return new Job(
    (emit) => gated(results, suite, options, emit),
    () => false,
  );
}

async function gated(
  results: string,
  suite: string,
  options: GateOptions,
  emit: (event: CommitEvent) => void,
): Promise<RunComparison> {
  const asked = checkedOptions('gate', options, optionsSchema);
  const signal = signalOf(asked);
  const command = commandWords(asked.command);
  const environment = environmentOf(asked.db);
  const checkout = await checkoutAt(process.cwd());
  const head = await commitAt(checkout, asked.head ?? 'HEAD', '--head');
  const base = await forkPoint(checkout, await commitAt(checkout, asked.base, '--base'), head);
  const trees = new Trees(checkout, asked.setup, signal);
  try {
    const prepared = async (of: SideName, commit: Commit): Promise<string> => {
      emit({ kind: 'preparing', of, commit });
      const tree = await trees.add(commit);
      if (tree.kind === 'ready') return tree.directory;
      throw failedCommit(of, commit, `no work tree that is ready: ${tree.said}`);
    };
    const sides: [Side, Side] = [
      {
        ...{ name: 'base', directory: await prepared('base', base) },
        branch: (await branchNamed(checkout, asked.base)) ?? ciBaseBranch(process.env) ?? null,
      },
      asked.head === undefined
        ? { name: 'head', directory: process.cwd(), branch: undefined }
        : {
            ...{ name: 'head', directory: await prepared('head', head) },
            branch: await branchNamed(checkout, asked.head),
          },
    ];
    const words = runWords(suite, checkout, asked, { results, reports: asked.reports });
    const onLine = (of: SideName, line: string): void => {
      emit({ kind: 'said', of, line });
    };
    const judged = async (): Promise<RunComparison> => {
      emit({ kind: 'measuring-commits', base, head: asked.head === undefined ? undefined : head });
      const ends = await measureInTurn(sides, { command, words, environment, signal, onLine });
      for (const [of, commit] of [
        ['base', base],
        ['head', head],
      ] as const) {
        const end = ends[of];
        if (end.kind === 'failed')
          throw failedCommit(of, commit, `a commit that could not be measured:\n${end.said}\n`);
      }
      const [reference, run] = [runIn(ends.base), runIn(ends.head)];
      // What a commit changed of the model or its suite is what is asked about: it is told, and no reason not to compare.
      return compare(results, reference, { run, gates: asked.gates, force: true });
    };
    const first = await judged();
    if (!asked.confirm || !needConfirming(first.report.gates)) return first;
    emit({ kind: 'confirming' });
    const { report } = await judged();
    return new RunComparison(
      { ...first.report, gates: confirmed(first.report.gates, report.gates) },
      first.newest,
    );
  } finally {
    await trees.close();
  }
}

function runIn(end: SideEnd): string {
  if (end.kind === 'measured') return end.run;
  throw new Error('a run that had been stopped was to be compared');
}

function failedCommit(of: SideName, commit: Commit, found: string): InputError {
  return new InputError({
    source: `${of} ${short(commit)}`,
    found,
    expected: 'that both commits can be built and measured',
    hint: 'What a work tree needs and git does not hold is made by --setup; EDGEFLEX_CHECKOUT names the folder that it comes from.',
  });
}
