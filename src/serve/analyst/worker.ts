import { fileURLToPath } from 'node:url';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { PlacedPoint } from '../../analysis/history/points.js';
import type { ObservedBatches } from '../../analysis/procure/observe.js';
import { InputError } from '../../base/errors.js';
import { hashFile, hashJson } from '../../base/hash.js';
import { analyse } from '../../library/analyse.js';
import { compare } from '../../library/compare.js';
import { historyWith, POINTS, pointsOfRuns, type HistoryMemory } from '../../library/history.js';
import { observedOfRuns, observedQuestion, procureWith } from '../../library/procure.js';
import { RememberedFits } from '../../library/remembered-fits.js';
import { Remembered, type Shelf } from '../../library/remembered.js';
import { open } from '../../library/results.js';
import { comparisonFragment } from '../../report/fragments/comparison.js';
import { historyFragment } from '../../report/fragments/history.js';
import { procurementFragment } from '../../report/fragments/procurement.js';
import { runFragment } from '../../report/fragments/run.js';
import { historyDocument } from '../../report/history/document.js';
import { globalIds } from '../../store/browse/runs.js';
import { keepFacts, readKept, type KeptFacts } from '../../store/kept.js';
import type { Answer } from '../api/routes.js';
import { findRun, loadRun, type StoredRun } from '../../store/read.js';
import {
  USUAL_RUNS,
  type AnalystAnswer,
  type AnalystRequest,
  type AnalystTask,
  type PreparedRuns,
} from './task.js';

/** So many runs and questions are remembered. Of a run with accuracy that is ten kilobytes a variant. */
const MOST_REMEMBERED = 2000;

/** The code that computes, by its digest: what other code has kept is computed again. */
const code = await hashFile(fileURLToPath(import.meta.url));

/** Preparing runs goes on for so long, in milliseconds: whoever asks meanwhile waits for it. */
const PREPARING = 50;

/** Quantiles that the page offers: what procurement asks of runs is computed for these before it is asked. */
const QUANTILES = [0.5, 0.9, 0.95, 0.99];

let points: Remembered<readonly PlacedPoint[]> | undefined;
let observations: Remembered<ObservedBatches> | undefined;

/**
 * Answers one question, in a thread of its own.
 *
 * @param request - where results lie, and what is asked
 */
export default async function answer({ place, task, keep }: AnalystRequest): Promise<AnalystAnswer> {
  points ??= new Remembered(MOST_REMEMBERED, shelfOf(place, 'points'));
  observations ??= new Remembered(MOST_REMEMBERED, shelfOf(place, 'observed'));
  try {
    return { kind: 'answer', json: await textOf(place, task, keep) };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'refused', fault: error.fault };
    throw error;
  }
}

function shelfOf(place: string, kind: Shelf['kind']): Shelf {
  return { kind, code, keep: (facts) => kept(place, facts) };
}

function memoryOf(place: string): HistoryMemory {
  return {
    points: points ?? new Remembered(0),
    fits: new RememberedFits({ code, keep: (facts, runs) => kept(place, [facts], runs) }),
  };
}

/** A store that cannot be written costs time, no more. */
async function kept(
  place: string,
  facts: readonly KeptFacts[],
  others: readonly string[] = [],
): Promise<void> {
  if (facts.length === 0) return;
  const results = await open(place, { existing: true }).catch(() => undefined);
  try {
    if (results !== undefined) await keepFacts(results.db, facts, others).catch(() => undefined);
  } finally {
    await results?.close();
  }
}

/** The answer as JSON: of a run that has ended from the store, where it is there. */
async function textOf(place: string, task: AnalystTask, keep: string | undefined): Promise<string> {
  if (keep === undefined || (task.kind !== 'analysis' && task.kind !== 'report'))
    return JSON.stringify(await found(place, task));
  const asked = { kind: task.kind, question: '' } as const;
  const state = hashJson([code, keep]);
  const results = await open(place, { readonly: true });
  try {
    const body = (await readKept(results.db, asked, new Map([[task.run, state]]))).get(task.run);
    if (body !== undefined) return inflateRawSync(body).toString();
  } finally {
    await results.close();
  }
  const json = JSON.stringify(await found(place, task));
  await kept(place, [{ ...asked, run: task.run, state, body: deflateRawSync(json) }]);
  return json;
}

async function found(place: string, task: AnalystTask): Promise<object> {
  switch (task.kind) {
    case 'analysis':
      return (await analyse(place, task.run)).document;
    case 'report':
      return runFragment((await analyse(place, task.run)).analysis);
    case 'compare':
      return compared(place, task);
    case 'history':
      return historyOf(place, task);
    case 'procure':
      return procured(place, task);
    case 'prepare runs':
      return preparedRuns(place, task);
    case 'prepare changes':
      await historyWith(place, task.suite, { runs: USUAL_RUNS }, memoryOf(place));
      return {};
  }
}

type Of<Kind extends AnalystTask['kind']> = Extract<AnalystTask, { readonly kind: Kind }>;

async function compared(
  place: string,
  { runs, reference, force }: Of<'compare'>,
): Promise<Answer<'compare'>> {
  const results = await open(place, { readonly: true });
  try {
    const ids = await globalIds(results.db, [reference, ...runs]);
    const comparisons = [];
    for (const run of runs) {
      const { document, report } = await compare(results, reference, { run, force });
      comparisons.push({ run: ids.get(run) ?? run, document, words: comparisonFragment(report) });
    }
    return { reference: ids.get(reference) ?? reference, comparisons };
  } finally {
    await results.close();
  }
}

async function historyOf(place: string, task: Of<'history'>): Promise<Answer<'history'>> {
  const { suite, suites, model, device, variant, metric, branch, limit } = task;
  const results = await open(place, { readonly: true });
  try {
    const options = { metrics: metric === undefined ? undefined : [metric], branch, runs: limit };
    const { history, older } = await historyWith(results, suite, options, memoryOf(place));
    const cells = history.cells.filter(
      ({ cell }) =>
        (model === undefined || cell.model === model) &&
        (device === undefined || cell.device === device) &&
        (variant === undefined || cell.recipe === variant),
    );
    const wanted = { ...history, cells };
    const document = historyDocument(wanted);
    const ids = await globalIds(
      results.db,
      document.runs.map(({ id }) => id),
    );
    return {
      ...{ suite, suites: [...suites], older },
      ...{ document, words: historyFragment(wanted) },
      ids: Object.fromEntries(ids),
    };
  } finally {
    await results.close();
  }
}

async function procured(place: string, { options }: Of<'procure'>): Promise<Answer<'procure'>> {
  const results = await open(place, { readonly: true });
  try {
    const { document, procurement } = await procureWith(results, options, observations ?? new Remembered(0));
    const ids = await globalIds(results.db, options.runs ?? []);
    return { document, words: procurementFragment(procurement), runs: [...ids.values()] };
  } finally {
    await results.close();
  }
}

/** Runs one after the other, until its time is up; those of which all is kept already take none. */
async function preparedRuns(place: string, { runs }: Of<'prepare runs'>): Promise<PreparedRuns> {
  const until = performance.now() + PREPARING;
  // What was computed is stored all at once: each time takes a connection and a wait for the disk.
  const made: KeptFacts[] = [];
  const shelf = (kind: Shelf['kind']): Shelf => ({
    ...{ kind, code },
    keep: (facts) => Promise.resolve(void made.push(...facts)),
  });
  // It is of no use to remember in memory what somebody may ask for: nobody has asked yet.
  const said = new Remembered<readonly PlacedPoint[]>(1, shelf('points'));
  const saidObserved = new Remembered<ObservedBatches>(1, shelf('observed'));
  const results = await open(place, { readonly: true });
  try {
    const { db } = results;
    const missing = new Set(await said.missing(db, runs, POINTS));
    for (const quantile of QUANTILES)
      for (const run of await saidObserved.missing(db, runs, observedQuestion(quantile))) missing.add(run);
    const left = runs.filter((run) => missing.has(run));
    while (left.length > 0) {
      const [run = ''] = left.splice(0, 1);
      let loaded: Promise<StoredRun> | undefined;
      const load = (): Promise<StoredRun> => (loaded ??= findRun(db, run).then((row) => loadRun(db, row)));
      await pointsOfRuns(db, [run], said, load);
      for (const quantile of QUANTILES) await observedOfRuns(db, [run], quantile, saidObserved, load);
      if (performance.now() > until) break;
    }
    await kept(place, made);
    return { left };
  } finally {
    await results.close();
  }
}
