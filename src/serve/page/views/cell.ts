import { quantileEstimate } from '../../../stats/quantile.js';
import { sampleCharts } from '../../../report/charts/samples.js';
import { facts } from '../../../report/html/grid.js';
import { html, type Markup } from '../../../report/html/markup.js';
import { chartFigures } from '../../../report/html/sections/charts.js';
import { cellPage as words, runPage } from '../../../text/dashboard/runs.js';
import * as format from '../../../text/format.js';
import type { Answer } from '../../api/routes.js';
import { call } from '../api.js';
import { element, paced, show } from '../dom.js';
import { runLink } from '../links.js';
import type { View } from '../page.js';
import { ago, empty, stateMark } from '../parts.js';
import { enlivened } from '../report.js';
import { list } from '../table.js';

/** So many points of a round: what a screen shows. */
const POINTS = 2000;
/** Between two drawings while rounds come in, in milliseconds. */
const PACE = 2000;

type Samples = Answer<'samples'>;

/** A cell of a run: its timed queries, over time and by their distribution. */
export const cell: View = async ({ params, live, signal, show: showView }) => {
  const { id = '', cell: name = '' } = params;
  const path = `/runs/${encodeURIComponent(id)}/cells/${encodeURIComponent(name)}/samples`;
  const load = (): Promise<Samples> => call<'samples'>(path, { query: { points: POINTS }, signal });
  const first = await load();
  const { model, recipe, kind, batch } = first.cell;
  showView(
    words.title(`${model} · ${recipe}`, runPage.kinds[kind], batch),
    html`<p><a href="${runLink(id)}">← ${words.back}</a></p>
      <div id="cell"></div>`,
  );
  let ended = new AbortController();
  const draw = async (samples: Samples): Promise<void> => {
    ended.abort();
    ended = new AbortController();
    show(element('cell'), content(samples));
    await enlivened(AbortSignal.any([signal, ended.signal]));
  };
  const again = paced(() => void load().then(draw, () => undefined), PACE, signal);
  live.on('cell', ({ cell: { id: told } }) => (told === first.cell.id ? again() : undefined), signal);
  live.on('reset', again, signal);
  await draw(first);
};

function content({ cell: of, rounds }: Samples): Markup {
  const charts = sampleCharts(rounds).map((chart) => ({ chart }));
  return html`${facts([
    [words.facts.state, stateMark(of.state)],
    [words.facts.device, of.device],
    [words.facts.rounds, words.rounds(of.measured, of.rounds)],
    [words.facts.tier, of.tier ?? ''],
    [words.facts.reason, of.reason ?? ''],
  ])}
  ${
    charts.length === 0
      ? empty(of.state === 'pending' ? words.pending : words.none)
      : html`<h2>${words.samples}</h2>
          <div class="charts">${chartFigures(charts)}</div>
          <h2>${words.table}</h2>
          ${table(rounds)}
          <p class="soft">${words.medianNote}</p>`
  }`;
}

function table(rounds: Samples['rounds']): Markup {
  type Round = Samples['rounds'][number] & { readonly sorted: readonly number[] };
  const at = ({ sorted }: Round, share: number): string =>
    format.milliseconds(quantileEstimate(sorted, share).value);
  return list<Round>(
    words.table,
    [
      { key: 'round', title: words.columns.round, of: ({ round }) => round },
      { key: 'started', title: words.columns.started, of: ({ startedAt }) => ago(startedAt) },
      {
        key: 'queries',
        title: words.columns.queries,
        align: 'right',
        of: ({ queries }) => format.integer(queries),
      },
      {
        key: 'least',
        title: words.columns.least,
        align: 'right',
        of: ({ sorted }) => format.milliseconds(sorted[0] ?? NaN),
      },
      { key: 'median', title: words.columns.median, align: 'right', of: (round) => at(round, 0.5) },
      { key: 'p99', title: words.columns.p99, align: 'right', of: (round) => at(round, 0.99) },
      {
        key: 'most',
        title: words.columns.most,
        align: 'right',
        of: ({ sorted }) => format.milliseconds(sorted.at(-1) ?? NaN),
      },
    ],
    rounds
      .filter(({ milliseconds }) => milliseconds.length > 0)
      .map((round) => ({ ...round, sorted: [...round.milliseconds].sort((a, b) => a - b) })),
  );
}
