import { changesPage, commitPage, type Hosting } from '../../../base/hosting.js';
import { repositoryOf, type Repository } from '../../../store/repository.js';
import * as format from '../../../text/format.js';
import { escaped, markdownTable } from '../../../text/markdown.js';
import { differenceText } from '../../../text/compare/obstacles.js';
import { changeSentence, headline, isChange, openGates } from '../../../text/compare/summary.js';
import { comparisonTable } from '../../../text/compare/table.js';
import type { ComparisonReport } from '../../../analysis/compare/gates.js';
import type { ComparisonExporter } from './exporter.js';

/** For a comment on a pull request: what changed at the top, every figure folded below it. */
export const markdownComparisonExporter: ComparisonExporter = {
  name: 'markdown',
  render: (report) => {
    const { comparison } = report;
    const table = comparisonTable(report);
    const changed = [
      ...comparison.compared.filter(isChange('worse')),
      ...comparison.compared.filter(isChange('better')),
    ];
    return [
      `### EdgeFlex: ${escaped(comparison.run.row.suite)}`,
      '',
      `**${escaped(headline(report))}**`,
      '',
      ...warnings(report),
      ...openGates(report).map(
        ({ outcome, text }) => `- ${outcome === 'broken' ? '❌' : '❔'} ${escaped(text)}`,
      ),
      ...changed.map(
        (each) => `- ${isChange('worse')(each) ? '🔺' : '🔽'} ${escaped(changeSentence(each, report))}`,
      ),
      '',
      `<details><summary>All ${comparison.compared.length} figures</summary>`,
      '',
      ...markdownTable(table),
      '',
      ...table.notes.map((note) => `- ${escaped(note)}`),
      '',
      '</details>',
      '',
      ...provenance(report),
      '',
    ].join('\n');
  },
};

function warnings({ comparison }: ComparisonReport): string[] {
  const lines = comparison.forced.map(
    (each) => `> ⚠️ Compared despite differences: ${escaped(differenceText(each))}`,
  );
  return lines.length > 0 ? [...lines.flatMap((line) => [line, '>']).slice(0, -1), ''] : [];
}

/** Both runs with their commits, and where to look further: links as far as they are known. */
function provenance({ comparison: { reference, run }, hosting = NOWHERE }: ComparisonReport): string[] {
  const of = ({ row }: typeof run): string =>
    `${escaped(row.id)} of ${format.moment(row.started_at)}, ${commitText(repositoryOf(row), hosting)}`;
  const [before, after] = [reference, run].map(({ row }) => repositoryOf(row)?.commit);
  const changes = before && after && before !== after && changesPage(hosting, before, after);
  const links = [
    ...(changes ? [`[changes between the commits](${changes})`] : []),
    ...(hosting.job === undefined ? [] : [`[log and full reports of this job](${hosting.job})`]),
  ];
  return [
    `<sub>Run ${of(run)}, against ${of(reference)}</sub>`,
    ...(links.length > 0 ? ['', `<sub>${links.join(' · ')}</sub>`] : []),
  ];
}

const NOWHERE: Hosting = { repository: undefined, job: undefined };

/** A commit, as a link where its page is known, and whether files differed from it. */
function commitText(repository: Repository | null, hosting: Hosting): string {
  if (repository === null) return 'of an unknown commit';
  const { commit, dirty } = repository;
  const page = commitPage(hosting, commit);
  const name = escaped(commit.slice(0, 9));
  return `commit ${page === undefined ? name : `[${name}](${page})`}${dirty ? ' with changes' : ''}`;
}
