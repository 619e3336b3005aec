import { Command, Option } from 'commander';
import { analyse } from '../../library/analyse.js';
import { explained } from '../help.js';
import { printJson } from '../json.js';
import { openOption, openPage } from '../output/open-page.js';
import type { PrintFormat } from '../../report/charts/print.js';
import { chartsOption } from '../options/charts-option.js';
import { announce } from '../options/newest.js';
import { reportsOption, placeOptions } from '../options/results.js';

interface ReportFlags {
  readonly results: string;
  readonly reports: string;
  readonly charts: readonly PrintFormat[];
  readonly models?: true;
  readonly data?: string;
  readonly json?: true;
  readonly open?: true;
}

/** `edgeflex report`: writes the report of a stored run again. */
export function reportCommand(): Command {
  const [results, db] = placeOptions();
  const command = new Command('report')
    .argument('[run]', 'a run id or its first characters; default: the newest finished run')
    .addOption(results)
    .addOption(db)
    .addOption(reportsOption())
    .addOption(chartsOption())
    .option(
      '--models',
      'also write a page for each variant: layer by layer, what it looks at, which answers changed',
    )
    .addOption(
      new Option('--data <directory>', 'the folder of the test images, as for "edgeflex run"').implies({
        models: true,
      }),
    )
    .addOption(
      new Option('--json', 'print the report as JSON and write no files').conflicts(['models', 'data']),
    )
    .addOption(openOption())
    .action(async (id: string | undefined, flags: ReportFlags) => {
      const analysis = await analyse(flags.results, id);
      announce(analysis.newest);
      if (flags.json) printJson('report', analysis.document);
      else {
        const { charts, models, data } = flags;
        const page = await analysis.writeReport(flags.reports, { charts, models, data });
        console.log(page);
        if (flags.open) await openPage(page);
      }
    });
  return explained(command, {
    examples: [
      ['edgeflex report', 'of the newest finished run'],
      ['edgeflex report 20261122', 'of the run whose id starts with this; see "edgeflex runs"'],
      ['edgeflex report --open', 'and open it in the browser'],
      [
        'edgeflex report --charts pdf',
        'charts for a paper, with a LaTeX file that includes them; needs a browser',
      ],
      ['edgeflex report --models', 'with a page for each variant'],
      ['edgeflex report --json | jq .results', 'all results for another program'],
    ],
  });
}
