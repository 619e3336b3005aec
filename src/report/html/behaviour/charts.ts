import { LINKED } from '../../charts/theme.js';

/** Where the page keeps the specs of its charts. */
export const SPECS_ID = 'chart-specs';

/**
 * Replaces each picture by the chart it shows, and lets it show which variant is looked at. A chart that cannot be drawn leaves its
 * picture. Expressions are interpreted, so that the page runs under a policy that forbids code from text.
 */
export const chartBehaviour = `
for (const { id, spec } of JSON.parse(document.getElementById('${SPECS_ID}')?.textContent ?? '[]')) {
  const picture = document.querySelector('#' + id + ' img');
  const chart = document.createElement('div');
  chart.className = 'chart';
  const options = {
    mode: 'vega-lite',
    renderer: 'svg',
    ast: true,
    downloadFileName: id,
    actions: { export: true, source: false, compiled: false, editor: false },
  };
  vegaEmbed(chart, spec, options).then(
    ({ view }) => {
      const drawing = chart.querySelector('svg.marks');
      drawing?.setAttribute('aria-label', picture.alt);
      chart.querySelector('summary')?.setAttribute('aria-label', 'Save this chart');
      picture.replaceWith(chart);
      if (!(spec.params ?? []).some(({ name }) => name === '${LINKED}')) return;
      const seriesOf = (item) => item?.datum?.series ?? item?.datum?.variant;
      view.addEventListener('mouseover', (_, item) => {
        const pointed = seriesOf(item);
        if (typeof pointed === 'string') lookAt({ pointed });
      });
      view.addEventListener('mouseout', () => lookAt({ pointed: '' }));
      onSeries((name) => view.signal('${LINKED}', name).runAsync());
    },
    (error) => console.error('chart ' + id + ':', error),
  );
}
`;
