import { InputError } from '../base/errors.js';
import type { Db } from './open.js';
import { listRuns, type RunSummary } from './read.js';

/** The run that "the newest" means. */
export interface NewestRun {
  /** The newest that has ended with something measured; where there is none, the newest of all: its state says what it is. */
  readonly run: RunSummary;
  /** Newer ones that are not meant: they go on, were interrupted, or failed altogether. */
  readonly passedOver: readonly RunSummary[];
}

/**
 * The newest run that something can be said of.
 *
 * @param db - the store
 * @param suite - of the run; undefined: of any
 * @throws InputError when there is no run
 */
export async function newestRun(db: Db, suite?: string): Promise<NewestRun> {
  const runs = (await listRuns(db)).filter((run) => suite === undefined || run.suite === suite);
  const [newest] = runs;
  if (newest === undefined)
    throw new InputError({
      source: suite === undefined ? 'run' : '--suite',
      found: suite === undefined ? 'no run' : `no run of ${suite}`,
      expected: 'a stored run',
      hint: '"edgeflex runs" lists them.',
    });
  const place = runs.findIndex(hasFigures);
  return place < 0
    ? { run: newest, passedOver: [] }
    : { run: runs[place]!, passedOver: runs.slice(0, place) };
}

/** Whether a run has ended, and something was measured in it. */
export function hasFigures({ state }: RunSummary): boolean {
  return state === 'complete' || state === 'partly failed';
}

/**
 * The run that `--resume` goes on with where none is named: the newest of the suite that was interrupted, or else the newest of
 * all, when cells of it have failed.
 *
 * @param db - the store
 * @param suite - of the run
 * @returns undefined when there is nothing left to do
 */
export async function resumableRun(db: Db, suite: string): Promise<RunSummary | undefined> {
  const runs = (await listRuns(db)).filter((run) => run.suite === suite);
  const [newest] = runs;
  const interrupted = runs.find(({ endedAt }) => endedAt === null);
  return interrupted ?? (newest !== undefined && newest.failed > 0 ? newest : undefined);
}
