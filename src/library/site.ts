import { z } from 'zod';
import { InputError } from '../base/errors.js';
import { hostingOf } from '../base/hosting.js';
import type { History } from '../analysis/history/history.js';
import { writeSite } from '../report/site/write.js';
import { hasFigures, runsOf } from '../store/newest.js';
import { listRuns } from '../store/read.js';
import { history, type HistoryOptions } from './history.js';
import { checkedOptions } from './options.js';
import { withResults, type Results } from './results.js';

/** What a site shows. */
export interface SiteOptions extends Pick<
  HistoryOptions,
  'threshold' | 'accuracyThreshold' | 'cosineThreshold' | 'branch'
> {
  /** Only these suites; all that have results if left out. */
  readonly suites?: readonly string[] | undefined;
  /** Replace files in the folder that EdgeFlex did not write, too. */
  readonly force?: boolean | undefined;
}

const optionsSchema = z.looseObject({
  suites: z.array(z.string()).optional(),
  force: z.boolean().default(false),
});

/** A site that was written. */
export interface WrittenSite {
  readonly suites: readonly string[];
  /** One for each model on each device, besides the index. */
  readonly pages: number;
}

/**
 * Writes the histories of suites as a static site, which every host of files can serve: an index, a page for each model on each device with its
 * charts and changes, and badges.
 *
 * @param results - open, or their folder
 * @param directory - the folder of the site; it is made if it is not there
 * @param options - which suites and branch, and which change counts
 * @throws InputError when there is no such suite, none has results, or the folder cannot be written; ResourceError when the disk is full
 *
 * @example
 * ```ts
 * const { pages } = await site('results', 'public');
 * ```
 */
export async function site(
  results: Results | string,
  directory: string,
  options: SiteOptions = {},
): Promise<WrittenSite> {
  const { suites: wanted = [], force, ...rest } = checkedOptions('site', options, optionsSchema);
  const hosting = await hostingOf(process.cwd());
  return withResults(results, { readonly: true }, async (opened) => {
    const runs = await listRuns(opened.db);
    for (const suite of wanted) runsOf(runs, suite, 'site');
    const measured = [...new Set(runs.filter(hasFigures).map(({ suite }) => suite))].sort();
    const suites = wanted.length > 0 ? wanted : measured;
    if (suites.length === 0)
      throw new InputError({
        source: 'site',
        found: 'no run that finished with results',
        expected: 'at least one',
      });
    const histories: History[] = [];
    for (const suite of suites) histories.push((await history(opened, suite, rest)).history);
    return { suites, pages: await writeSite(histories, directory, hosting, force) };
  });
}
