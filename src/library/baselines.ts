import { z } from 'zod';
import { defined } from '../base/defined.js';
import { InputError } from '../base/errors.js';
import * as stored from '../store/baselines.js';
import { newestRun, runsOf, type NewestRun } from '../store/newest.js';
import type { Db } from '../store/open.js';
import { listRuns, type RunSummary } from '../store/read.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** A run that has a name, for later ones of its suite to be compared with. */
export interface Baseline {
  /** Of the baseline: one run of a suite has it. */
  readonly name: string;
  readonly suite: string;
  readonly runId: string;
  /** When the run started, ISO 8601, UTC. */
  readonly startedAt: string;
  /** When the name was given, ISO 8601, UTC. */
  readonly setAt: string;
}

/** Which run gets a name. */
export interface SetBaselineOptions {
  /** A baseline, or the beginning of a run's id; left out, the newest that has ended with something measured. */
  readonly run?: string | undefined;
  /** Only runs of this suite are meant. */
  readonly suite?: string | undefined;
  /** Accept a run that has not finished. */
  readonly force?: boolean | undefined;
}

/** A name that was given. */
export interface SetBaseline {
  readonly name: string;
  /** The run that has it now. */
  readonly run: RunSummary;
  /** Id of the run that had it before; undefined when none had. */
  readonly before: string | undefined;
  /** Which run was taken where none was named, and which newer ones were passed over; undefined where one was named. */
  readonly newest: NewestRun | undefined;
}

const setSchema = z.strictObject({
  run: z.string().min(1).optional(),
  suite: z.string().optional(),
  force: z.boolean().default(false),
});

const ofSuiteSchema = z.strictObject({ suite: z.string().optional() });

/**
 * Names a run. Where another run of its suite has the name, it moves.
 *
 * @param results - open for writing, or their folder
 * @param name - of letters, digits, ".", "_", "/" and "-"
 * @param options - which run
 * @throws InputError when the name is none, there is no such run, or it has not finished
 *
 * @example
 * ```ts
 * const { run } = await setBaseline('results', 'main', { suite: 'cifar10' });
 * ```
 */
export async function setBaseline(
  results: Results | string,
  name: string,
  options: SetBaselineOptions = {},
): Promise<SetBaseline> {
  const { run: word, suite, force } = checkedOptions('setBaseline', options, setSchema);
  return withResults(results, { existing: true }, async ({ db }) => {
    const newest = word === undefined ? await newestRun(db, suite) : undefined;
    const run = newest?.run ?? (await runCalled(db, word ?? '', suite));
    if (run.endedAt === null && !force)
      throw new InputError({
        source: 'baseline',
        found: `run ${run.id}, which has not finished: ${run.pending} of ${run.cells} cells are missing`,
        expected: 'a finished run',
        hint: `Finish it with "edgeflex run <suite> --resume ${run.id}", or use it as it is with --force.`,
      });
    const before = await stored.setBaseline(db, name, run, new Date().toISOString());
    return { name, run, before, newest };
  });
}

async function runCalled(db: Db, word: string, suite: string | undefined): Promise<RunSummary> {
  const runs = runsOf(await listRuns(db), suite);
  const { id } = await stored.referenceRun(db, word, suite);
  return defined(
    runs.find((run) => run.id === id),
    `run ${id}`,
  );
}

/**
 * All baselines, by suite and name.
 *
 * @param results - open, or their folder
 * @param options - `suite`: only those of this one
 * @throws InputError when no run is of the suite
 */
export async function listBaselines(
  results: Results | string,
  options: { readonly suite?: string | undefined } = {},
): Promise<readonly Baseline[]> {
  const { suite: only } = checkedOptions('listBaselines', options, ofSuiteSchema);
  return withResults(results, { readonly: true }, async ({ db }) => {
    const runs = new Map(runsOf(await listRuns(db), only).map((run) => [run.id, run]));
    return (await stored.listBaselines(db)).flatMap(({ suite, name, run_id: runId, set_at: setAt }) => {
      const run = runs.get(runId);
      return run === undefined ? [] : [{ suite, name, runId, startedAt: run.startedAt, setAt }];
    });
  });
}

/**
 * Takes a name away from the run that has it. The run stays.
 *
 * @param results - open for writing, or their folder
 * @param name - of the baseline
 * @param options - `suite`: needed where several have a baseline of that name
 * @returns what was removed
 * @throws InputError when there is none, or there are several
 */
export async function removeBaseline(
  results: Results | string,
  name: string,
  options: { readonly suite?: string | undefined } = {},
): Promise<Pick<Baseline, 'name' | 'suite' | 'runId'>> {
  const { suite: only } = checkedOptions('removeBaseline', options, ofSuiteSchema);
  return withResults(results, { existing: true }, async ({ db }) => {
    runsOf(await listRuns(db), only);
    const { suite, run_id: runId } = await stored.removeBaseline(db, name, only);
    return { name, suite, runId };
  });
}
