/** Where the page keeps the specs of its charts. */
export const SPECS_ID = 'chart-specs';

/**
 * The page's own code: replaces each picture by the chart it shows. A chart that cannot be drawn leaves its picture.
 * Expressions are interpreted, so that the page runs under a policy that forbids code from text.
 */
export const behaviour = `'use strict';
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
    () => picture.replaceWith(chart),
    (error) => console.error('chart ' + id + ':', error),
  );
}
`;
