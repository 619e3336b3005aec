import { InputError } from '../../base/errors.js';
import { newestCounted, type ListedRun } from '../../store/browse/runs.js';
import { suitesWith } from '../../store/browse/catalogue.js';
import { newestWithFigures } from '../../store/newest.js';
import { listBaselines } from '../../store/baselines.js';
import type { Db } from '../../store/open.js';
import type { Question } from '../api/routes.js';
import type { Serving } from '../serving.js';
import { Json, Kept } from './kept.js';
import { stateOf, storedRun } from './runs.js';

/** Runs that a procurement looks at where none are named: older ones say what newer ones say better. */
const MOST_PROCURED = 50;

/** `GET /compare`. */
export async function answerCompare(serving: Serving, { query }: Question<'compare'>): Promise<Kept> {
  const { db, analyst } = serving;
  const runs: ListedRun[] = [];
  for (const word of query.runs) runs.push(await storedRun(db, await baselineOr(db, word)));
  const [first] = runs;
  const reference =
    query.reference === undefined ? first : await storedRun(db, await baselineOr(db, query.reference));
  const others = runs.filter(
    ({ id }, index) => id !== reference?.id && runs.findIndex((run) => run.id === id) === index,
  );
  if (reference === undefined || others.length === 0)
    throw new InputError({
      source: 'runs',
      found: query.runs.join(','),
      expected: 'two different runs or more',
    });
  const strangers = others.filter(({ suite }) => suite !== reference.suite);
  if (strangers.length > 0)
    throw new InputError({
      source: 'runs',
      found: `runs of different suites: ${[reference, ...strangers].map(({ name, suite }) => `${name} of ${suite}`).join(', ')}`,
      expected: 'runs of one suite: those of another one have measured something else',
    });
  const state = await stateOf(db, [reference, ...others]);
  const task = {
    ...({ kind: 'compare', reference: reference.name, runs: others.map(({ name }) => name) } as const),
    force: query.force ?? false,
  };
  return new Kept(`${state}${task.force ? '!' : ''}`, () => analyst.answer(task, state));
}

/** The run that has a name as a baseline, or the word as it is. */
async function baselineOr(db: Db, word: string): Promise<string> {
  const called = (await listBaselines(db)).filter(({ name }) => name === word);
  const [baseline] = called;
  if (called.length > 1)
    throw new InputError({
      source: 'runs',
      found: `${word}, a baseline of ${called.map(({ suite }) => suite).join(' and of ')}`,
      expected: 'the id of a run',
    });
  return baseline?.run_id ?? word;
}

/** `GET /history`. */
export async function answerHistory(serving: Serving, { query }: Question<'history'>): Promise<Kept> {
  const { db, analyst } = serving;
  const { model, device, variant, metric, branch, limit } = query;
  const suites = await suitesWith(db, model, device);
  const [newest] = suites;
  const suite = query.suite ?? newest;
  if (suite === undefined)
    throw new InputError({
      source: 'history',
      found: `no run${model === undefined ? '' : ` of ${model}`}${device === undefined ? '' : ` on ${device}`}`,
      expected: 'at least one',
    });
  const state = await stateOf(db, await newestCounted(db, suite, limit));
  const task = {
    ...({ kind: 'history', suite, suites, model, device, variant, metric, branch, limit } as const),
  };
  return new Kept(`${state} ${JSON.stringify(query)}`, () => analyst.answer(task, state));
}

/** `POST /procure`. */
export async function answerProcure(serving: Serving, { body }: Question<'procure'>): Promise<Json> {
  const { db, analyst } = serving;
  const { runs: words, suite, ...options } = body;
  const runs =
    words === undefined || words.length === 0 ? await newestWithFigures(db, suite, MOST_PROCURED) : [];
  for (const word of words ?? []) runs.push((await storedRun(db, await baselineOr(db, word))).name);
  if (runs.length === 0)
    throw new InputError({
      source: 'procure',
      found: 'no run that has ended with something measured',
      expected: 'at least one',
    });
  const task = {
    kind: 'procure',
    options: { ...options, suite, runs },
  } as const;
  // Prices are read from profiles, which may change at any time; what runs say is remembered where it is computed.
  return new Json(await analyst.answer(task, undefined));
}
