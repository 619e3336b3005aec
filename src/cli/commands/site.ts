import { join } from 'node:path';
import { Command } from 'commander';
import { site } from '../../library/site.js';
import { explained } from '../help.js';
import { addThresholds, type ThresholdFlags } from '../options/history-options.js';
import { printJson } from '../json.js';
import { openOption, openPage } from '../output/open-page.js';
import { placeOptions } from '../options/results.js';

interface SiteFlags extends ThresholdFlags {
  readonly output: string;
  readonly branch?: string;
  readonly overwrite?: true;
  readonly results: string;
  readonly json?: true;
  readonly open?: true;
}

/** `edgeflex site`: the histories of suites as a static site. */
export function siteCommand(): Command {
  const [results, db] = placeOptions();
  const command = addThresholds(
    new Command('site')
      .argument('[suites...]', 'names of suites, as "edgeflex runs" shows them; default: all with results')
      .requiredOption('-o, --output <directory>', 'folder of the site'),
  )
    .option('--branch <name>', 'follow this branch, * for all, as for "edgeflex history"')
    .option('--overwrite', 'overwrite files that EdgeFlex did not write')
    .addOption(results)
    .addOption(db)
    .option('--json', 'print what was written as JSON')
    .addOption(openOption())
    .action(async (suites: string[], flags: SiteFlags) => {
      const { output, branch, overwrite: force, threshold, accuracyThreshold, cosineThreshold } = flags;
      const written = await site(flags.results, output, {
        ...{ suites, branch, force, threshold, accuracyThreshold, cosineThreshold },
      });
      const index = join(output, 'index.html');
      if (flags.json) printJson('site', { ...written, index });
      else
        console.log(
          `${written.pages} ${written.pages === 1 ? 'page' : 'pages'} of ${written.suites.join(', ')}\n\nSite: ${index}`,
        );
      if (flags.open) await openPage(index);
    });
  return explained(command, {
    notes: [
      'An index, a page for each model on each device with its charts, changes and commits, the same as JSON, and badges as SVG (badges/index.svg says whether anything is worse now). The site loads nothing from elsewhere and runs no scripts; any host of files can serve it, GitHub Pages for example (docs/ci.md).',
    ],
    examples: ['edgeflex site -o site', 'edgeflex site cifar10 -o public --branch main --threshold 3%'],
  });
}
