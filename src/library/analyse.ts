import { analyse as analysed, type Analysis } from '../analysis/analysis.js';
import { reportDocument, type ReportDocument } from '../report/document.js';
import { writeReport, type ReportOptions } from '../report/write.js';
import { listFloors } from '../store/floors.js';
import { newestRun, type NewestRun } from '../store/newest.js';
import { findRun, loadRun } from '../store/read.js';
import { listRooflines } from '../store/rooflines.js';
import { withResults, type Results } from './results.js';

/** Every figure of a run. */
export class RunAnalysis {
  /** @internal */
  constructor(
    /** @internal */
    readonly analysis: Analysis,
    /** Which run was taken where none was named, and which newer ones were passed over; undefined where one was named. */
    readonly newest: NewestRun | undefined,
  ) {}

  /** The run's id. */
  get id(): string {
    return this.analysis.run.row.id;
  }

  /** The figures for programs, as `report.json` holds them: every estimate with its 95 % interval. */
  get document(): ReportDocument {
    return reportDocument(this.analysis);
  }

  /**
   * Writes the report in every format, and its charts, into a folder of the run's own.
   *
   * @param directory - where reports lie; it is made where it is missing
   * @param options - `charts` are formats of the charts beside SVG (`png` with twice the pixels, `pdf`; a browser draws them); `models` writes a page for each variant, too, which shows it layer by layer: the variant is run on some test images,
   *   where its model is still in the cache; `data` is the folder of these images, if they do not lie where they are looked for
   * @returns the path of the HTML page
   * @throws InputError when the folder cannot be written; ResourceError when the disk is full
   */
  writeReport(directory = 'reports', options: ReportOptions = {}): Promise<string> {
    return writeReport(this.analysis, directory, options);
  }
}

/**
 * Computes every figure of a stored run from its raw samples.
 *
 * @param results - open, or their folder
 * @param id - of the run, or the beginning of it; left out, the newest that has ended with something measured
 * @throws InputError when there is no such run
 *
 * @example
 * ```ts
 * const { document } = await analyse('results');
 * for (const { recipe, device, performance } of document.results)
 *   for (const { batch, medianMilliseconds } of performance)
 *     console.log(recipe, device, batch, `${medianMilliseconds.value} ms`);
 * ```
 */
export async function analyse(results: Results | string, id?: string): Promise<RunAnalysis> {
  return withResults(results, { readonly: true }, async ({ db }) => {
    const newest = id === undefined ? await newestRun(db) : undefined;
    const run = await loadRun(db, await findRun(db, newest?.run.id ?? id ?? ''));
    const analysis = analysed(run, await listFloors(db), await listRooflines(db));
    return new RunAnalysis(analysis, newest);
  });
}
