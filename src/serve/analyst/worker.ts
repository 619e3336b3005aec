import type { PlacedPoint } from '../../analysis/history/points.js';
import type { Observed } from '../../analysis/procure/observe.js';
import { InputError } from '../../base/errors.js';
import { analyse } from '../../library/analyse.js';
import { compare } from '../../library/compare.js';
import { historyWith } from '../../library/history.js';
import { procureWith } from '../../library/procure.js';
import { Remembered } from '../../library/remembered.js';
import { open } from '../../library/results.js';
import { comparisonFragment } from '../../report/fragments/comparison.js';
import { historyFragment } from '../../report/fragments/history.js';
import { procurementFragment } from '../../report/fragments/procurement.js';
import { runFragment } from '../../report/fragments/run.js';
import { historyDocument } from '../../report/history/document.js';
import { globalIds } from '../../store/browse/runs.js';
import type { Answer } from '../api/routes.js';
import type { AnalystAnswer, AnalystRequest, AnalystTask } from './task.js';

/** So many runs and questions are remembered. Of a run with accuracy that is ten kilobytes a variant. */
const MOST_REMEMBERED = 2000;

const points = new Remembered<readonly PlacedPoint[]>(MOST_REMEMBERED);
const observations = new Remembered<Observed>(MOST_REMEMBERED);

/**
 * Answers one question, in a thread of its own.
 *
 * @param request - where results lie, and what is asked
 */
export default async function answer({ place, task }: AnalystRequest): Promise<AnalystAnswer> {
  try {
    return { kind: 'answer', json: JSON.stringify(await found(place, task)) };
  } catch (error) {
    if (error instanceof InputError) return { kind: 'refused', fault: error.fault };
    throw error;
  }
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
    const { history, older } = await historyWith(results, suite, options, points);
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
    const { document, procurement } = await procureWith(results, options, observations);
    const ids = await globalIds(results.db, options.runs ?? []);
    return { document, words: procurementFragment(procurement), runs: [...ids.values()] };
  } finally {
    await results.close();
  }
}
