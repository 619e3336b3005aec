import { oneLine } from '../../../text/format.js';
import { changeSentence, gateSentence, isChange } from '../../../text/compare/summary.js';
import { differenceText } from '../../../text/compare/obstacles.js';
import type { ComparisonExporter } from './exporter.js';

/**
 * Commands that GitHub Actions turns into annotations when a step prints them: an error for each broken gate, a warning for
 * what changed for the worse without breaking one and for what no gate could decide, a notice for each improvement
 * (docs.github.com, "Workflow commands for GitHub Actions").
 */
export const githubExporter: ComparisonExporter = {
  name: 'github',
  render: (report) => {
    const { comparison, gates } = report;
    const broken = gates.filter(({ outcome }) => outcome === 'broken');
    const undecided = gates.filter(({ outcome }) => outcome === 'cannot tell' || outcome === 'not judged');
    const guarded = (each: (typeof comparison.compared)[number]): boolean =>
      broken.some(({ subject, gate }) => subject === each.subject && gate.metric === each.judgement.metric);
    const worse = comparison.compared.filter((each) => isChange('worse')(each) && !guarded(each));
    return [
      ...comparison.forced.map((each) => command('warning', 'Runs differ in setup', differenceText(each))),
      ...broken.map((result) => command('error', 'Gate broken', gateSentence(result, report))),
      ...worse.map((each) => command('warning', 'Changed for the worse', changeSentence(each, report))),
      ...undecided.map((result) => command('warning', 'Gate not decided', gateSentence(result, report))),
      ...comparison.compared
        .filter(isChange('better'))
        .map((each) => command('notice', 'Changed for the better', changeSentence(each, report))),
    ].join('');
  },
};

function command(kind: 'error' | 'warning' | 'notice', title: string, message: string): string {
  const data = oneLine(message).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = title.replaceAll('%', '%25').replaceAll(':', '%3A').replaceAll(',', '%2C');
  return `::${kind} title=EdgeFlex%3A ${property}::${data}\n`;
}
