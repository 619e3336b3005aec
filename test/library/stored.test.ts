import { beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../../src/base/errors.js';
import { listBaselines, removeBaseline, setBaseline } from '../../src/library/baselines.js';
import { backUpResults, checkResults, recoverResults } from '../../src/library/database.js';
import { history } from '../../src/library/history.js';
import { pruneRuns } from '../../src/library/prune.js';
import { open } from '../../src/library/results.js';
import { openStore } from '../../src/store/open.js';
import { runOf, runsOf, storeHistory } from '../analysis/support/history.js';
import { useFolder } from '../support/folder.js';

const folder = useFolder();
const RUNS = 24;
const SLOWER_FROM = 10;

beforeEach(async () => {
  const db = await openStore(folder('results', 'edgeflex.db'));
  const runs = runsOf(RUNS, (index) => ({ milliseconds: index < SLOWER_FROM ? 10 : 11 }));
  await storeHistory(db, 5, 0.01, runs);
  await db.destroy();
});

const results = (): string => folder('results');

/** Which option a call is refused for. */
async function refusedPlace(call: PromiseLike<unknown>): Promise<string | undefined> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InputError);
  return (error as InputError).fault.place;
}

describe('the history of a suite', () => {
  it('says where a figure became worse, and that it did not since', async () => {
    const { document, isWorse, leftOut } = await history(results(), 'tiny', { metrics: ['latency'] });
    const [cell] = document.cells;
    const changes = cell!.series.flatMap((series) => series.changes.filter(({ doubt }) => doubt === null));
    expect([isWorse, leftOut, document.runs.length]).toEqual([true, [], RUNS]);
    expect(changes.map(({ direction, firstAfter }) => [direction, firstAfter])).toEqual([
      ['worse', runOf(SLOWER_FROM)],
    ]);
    const since = await history(results(), 'tiny', { since: runOf(SLOWER_FROM) });
    expect([since.isWorse, since.document.runs.length]).toEqual([false, RUNS - SLOWER_FROM]);
    expect((await history(results(), 'tiny', { threshold: 0.2 })).isWorse).toBe(false);
  });

  it('refuses options that mean nothing, and a suite without runs', async () => {
    expect(await refusedPlace(history(results(), 'tiny', { metrics: ['speed'] } as never))).toBe(
      'options.metrics.0',
    );
    expect(await refusedPlace(history(results(), 'tiny', { threshold: -1 }))).toBe('options.threshold');
    await refusedPlace(history(results(), 'tinny'));
  });
});

describe('baselines', () => {
  it('are set, move, are listed by suite, and are removed', async () => {
    const first = await setBaseline(results(), 'main', { run: runOf(3) });
    expect([first.run.id, first.before, first.newest]).toEqual([runOf(3), undefined, undefined]);
    const moved = await setBaseline(results(), 'main');
    expect([moved.run.id, moved.before, moved.newest?.passedOver]).toEqual([runOf(RUNS - 1), runOf(3), []]);
    const listed = await listBaselines(results(), { suite: 'tiny' });
    expect(listed.map(({ name, runId }) => [name, runId])).toEqual([['main', runOf(RUNS - 1)]]);
    await refusedPlace(listBaselines(results(), { suite: 'large' }));
    expect(await removeBaseline(results(), 'main')).toMatchObject({ suite: 'tiny', runId: runOf(RUNS - 1) });
    expect(await listBaselines(results())).toEqual([]);
  });

  it('make no results where there are none', async () => {
    await refusedPlace(setBaseline(folder('none'), 'main'));
    await refusedPlace(open(folder('none'), { readonly: true }));
  });
});

describe('old runs', () => {
  it('are deleted but for the newest, baselines and those that are not old enough', async () => {
    await setBaseline(results(), 'main', { run: runOf(3) });
    const dry = await pruneRuns(results(), { keep: 2, dryRun: true });
    expect(dry.decisions.filter(({ reasons }) => reasons.length === 0)).toHaveLength(RUNS - 3);
    const before = new Date(dry.decisions.find(({ run }) => run.id === runOf(10))!.run.startedAt);
    const { unshrunk } = await pruneRuns(results(), { keep: 2, before });
    expect(unshrunk).toBeUndefined();
    const opened = await open(results(), { readonly: true });
    const left = (await opened.runs()).map(({ id }) => id);
    await opened.close();
    expect(left.reverse()).toEqual([3, ...Array.from({ length: RUNS - 10 }, (_, at) => at + 10)].map(runOf));
    expect(await refusedPlace(pruneRuns(results(), { keep: -1 }))).toBe('options.keep');
  });
});

describe('the database', () => {
  it('is checked, copied and recovered, and no file is replaced', async () => {
    expect(await checkResults(results())).toEqual([]);
    await backUpResults(results(), folder('copy.db'));
    await refusedPlace(backUpResults(results(), folder('copy.db')));
    const tables = await recoverResults(results(), folder('recovered', 'edgeflex.db'));
    expect(tables.find(({ table }) => table === 'runs')).toMatchObject({
      copied: RUNS,
      leftOut: 0,
      cut: false,
    });
    expect(await checkResults(folder('recovered'))).toEqual([]);
    await refusedPlace(recoverResults(results(), folder('copy.db')));
  });
});
