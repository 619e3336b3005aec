import { Command } from 'commander';
import { reportDocument } from '../report/document.js';
import { writeReport } from '../report/write.js';
import { openForReading } from '../store/open.js';
import { databaseIn, reportsOption, resultsOption, storedAnalysis } from './results.js';

interface ReportFlags {
  readonly results: string;
  readonly reports: string;
  readonly json?: true;
}

/** `edgeflex report`: writes the report of a stored run again. */
export function reportCommand(): Command {
  return new Command('report')
    .description('write the report of a stored run: HTML, Markdown, CSV, JSON, and the charts as SVG')
    .argument('[run]', 'a run, or the beginning of its id; left out, the newest that has ended')
    .addOption(resultsOption())
    .addOption(reportsOption())
    .option('--json', 'print the report as JSON instead, and write nothing')
    .addHelpText(
      'after',
      `
Examples:
  edgeflex report                        of the newest run that has ended with something measured
  edgeflex report 20261122               of the run whose id begins so; "edgeflex runs" lists them
  edgeflex report --json | jq .results   every figure for another program`,
    )
    .action(async (id: string | undefined, flags: ReportFlags) => {
      const db = await openForReading(databaseIn(flags.results));
      try {
        const analysis = await storedAnalysis(db, id);
        if (flags.json) console.log(JSON.stringify(reportDocument(analysis), null, 2));
        else console.log(await writeReport(analysis, flags.reports));
      } finally {
        await db.destroy();
      }
    });
}
