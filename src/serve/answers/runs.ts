import { isEmulated } from '../../analysis/label.js';
import { installedVersion } from '../../base/paths.js';
import { hashJson } from '../../base/hash.js';
import { InputError } from '../../base/errors.js';
import { surroundings } from '../../store/browse/changes.js';
import { listedCells, runFacts, samplesOfCell, type ListedCell } from '../../store/browse/details.js';
import {
  listedRuns,
  namedRun,
  pageOfRuns,
  type CountedRun,
  type ListedRun,
} from '../../store/browse/runs.js';
import { storedDevices } from '../../store/read.js';
import type { Db } from '../../store/open.js';
import { reasonText } from '../../text/failures.js';
import { problemWords } from '../../text/problems.js';
import { runWarning } from '../../text/run-warnings.js';
import type { Answer, Question } from '../api/routes.js';
import { RequestProblem } from '../problem.js';
import type { Serving } from '../serving.js';
import { Kept } from './kept.js';
import { thinned } from './thin.js';

/** `GET /runs`. */
export async function answerRuns({ db }: Serving, { query }: Question<'runs'>): Promise<Answer<'runs'>> {
  const moment = (name: 'since' | 'until'): string | undefined => {
    const text = query[name];
    if (text === undefined) return undefined;
    const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN;
    if (Number.isNaN(time))
      throw new InputError({
        source: name,
        found: text,
        expected: 'a date or a moment, such as 2026-11-29 or 2026-11-29T08:00:00Z',
      });
    return new Date(time).toISOString();
  };
  return pageOfRuns(db, { ...query, since: moment('since'), until: moment('until') });
}

/**
 * A run that is stored.
 *
 * @param db - the store
 * @param id - global, or of this store
 * @throws RequestProblem where there is none
 */
export async function storedRun(db: Db, id: string): Promise<ListedRun> {
  const name = await namedRun(db, id);
  const [run] = name === undefined ? [] : await listedRuns(db, [name]);
  if (run === undefined) throw new RequestProblem('not-found', problemWords.noRun(id));
  return run;
}

/** `GET /runs/:id`. */
export async function answerRun({ db }: Serving, { params }: Question<'run'>): Promise<Answer<'run'>> {
  const run = await storedRun(db, params.id);
  const facts = await runFacts(db, run.name);
  const cells = (await listedCells(db, [run.name])).get(run.name) ?? [];
  const devices = (await storedDevices(db, run.name)).map((device) => ({
    ...{ name: device.row.name, threads: device.row.threads },
    ...{ processor: device.environment.cpu.model, emulated: isEmulated(device) },
  }));
  const synthetic = [...new Set(cells.filter((cell) => cell.synthetic).map(({ model }) => model))];
  return {
    ...{ run, ...facts, devices, cells: cells.map(cellOf) },
    warnings: [
      ...synthetic.map((model) => runWarning({ kind: 'synthetic', model })),
      ...devices
        .filter(({ emulated }) => emulated)
        .map(({ name }) => runWarning({ kind: 'emulated', device: name })),
      ...cells.flatMap((cell) => [
        ...(cell.state === 'failed' || cell.state === 'unsupported'
          ? [runWarning({ kind: cell.state, cell: cell.id, reason: cell.reason })]
          : []),
        ...(cell.substitutions.length > 0
          ? [runWarning({ kind: 'other form', cell: cell.id, substitutions: cell.substitutions })]
          : []),
        ...(cell.unsteady > 0
          ? [runWarning({ kind: 'unsteady', cell: cell.id, rounds: cell.unsteady, of: cell.measured })]
          : []),
      ]),
    ],
  };
}

/** A cell as the API has it. */
export function cellOf(cell: ListedCell): Answer<'run'>['cells'][number] {
  const { id, model, recipe, device, kind, batch, boundMilliseconds, tier, state, rounds, measured } = cell;
  const isBroken = state === 'failed' || state === 'unsupported';
  return {
    ...{ id, model, recipe, device, kind, batch, boundMilliseconds, tier, state, rounds, measured },
    reason: isBroken ? reasonText(cell.reason) : null,
  };
}

/** `GET /runs/:id/analysis`. */
export async function answerAnalysis(serving: Serving, { params }: Question<'analysis'>): Promise<Kept> {
  const { db, analyst } = serving;
  const run = await storedRun(db, params.id);
  const state = await stateOf(db, [run]);
  return new Kept(state, () =>
    analyst.answer({ kind: 'analysis', run: run.name }, state, run.endedAt !== null),
  );
}

/** `GET /runs/:id/report`. */
export async function answerReport(serving: Serving, { params }: Question<'report'>): Promise<Kept> {
  const { db, analyst } = serving;
  const run = await storedRun(db, params.id);
  const state = await stateOf(db, [run]);
  return new Kept(`${state} report`, () =>
    analyst.answer({ kind: 'report', run: run.name }, state, run.endedAt !== null),
  );
}

/**
 * What an analysis of runs follows from: while it is the same, so is the analysis. That of a run which goes on changes with its cells.
 *
 * @param db - the store
 * @param runs - that are analysed
 */
export async function stateOf(db: Db, runs: readonly CountedRun[]): Promise<string> {
  const cells = await listedCells(
    db,
    runs.filter(({ endedAt }) => endedAt === null).map(({ name }) => name),
  );
  return hashJson([
    ...[installedVersion(), await surroundings(db)],
    runs.map(({ id, endedAt, cells: counts }) => [id, endedAt, counts]),
    [...cells.values()].flat().map(({ id, measured }) => [id, measured]),
  ]);
}

/** `GET /runs/:id/environment`. */
export async function answerEnvironment(
  { db }: Serving,
  { params }: Question<'environment'>,
): Promise<Answer<'environment'>> {
  const run = await storedRun(db, params.id);
  const devices = await storedDevices(db, run.name);
  return {
    devices: devices.map(({ row, environment }) => ({
      ...{ name: row.name, threads: row.threads, environment: { ...environment } },
    })),
  };
}

/** `GET /runs/:id/cells/:cell/samples`. */
export async function answerSamples(
  { db }: Serving,
  { params, query }: Question<'samples'>,
): Promise<Kept | Answer<'samples'>> {
  const run = await storedRun(db, params.id);
  const make = async (): Promise<Answer<'samples'>> => {
    const found = await samplesOfCell(db, run.name, params.cell);
    if (found === undefined)
      throw new RequestProblem('not-found', problemWords.noCell(params.id, params.cell));
    return {
      cell: cellOf(found.cell),
      rounds: found.rounds.map(({ round, startedAt, milliseconds }) => {
        const places = thinned(milliseconds, query.points);
        return {
          ...{ round, startedAt, queries: milliseconds.length },
          thinned: places.length < milliseconds.length,
          query: places,
          milliseconds: places.map((place) => milliseconds[place] ?? NaN),
        };
      }),
    };
  };
  if (run.endedAt === null) return make();
  const mark = hashJson([installedVersion(), run.id, run.endedAt, run.cells, params.cell, query.points]);
  return new Kept(mark, async () => JSON.stringify(await make()));
}
