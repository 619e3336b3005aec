/** How the page looks: light or dark as the reader prefers, light on paper; one column, tables that scroll sideways where they must. Charts are drawn on white, and turned where the page is dark. */
export const style = `
:root { color-scheme: light; --paper: #fff; --ink: #222; --text: #3c3c3c; --soft: #5a5a5a; --line: #dcdcdc; --rule: #eee; --edge: #bbb; --tint: #f6f7f9;
  --link: #0b5394; --mark: #0072b2; --lit: #dcecf7; --bad: #a52a00; --bad-back: #fdece6; --warn: #7a5200; --warn-back: #fff6e0; --warn-line: #d19a00; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #16191d; --ink: #e6e6e6; --text: #c9c9c9; --soft: #a6a6a6; --line: #444a52; --rule: #2b3037; --edge: #616973; --tint: #22262c;
    --link: #8ab8f0; --mark: #56b4e9; --lit: #1d3a52; --bad: #ff9b76; --bad-back: #3a2019; --warn: #f0c46c; --warn-back: #332b17; --warn-line: #b98a12; }
  figure .picture :is(svg.marks, img) { filter: invert(.91) hue-rotate(180deg) brightness(1.12); }
  figure .picture { background: #191919; border-radius: 6px; padding: 4px; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px 24px 64px; max-width: 1440px; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 27px; line-height: 1.2; margin: 8px 0 4px; }
h2 { font-size: 20px; margin: 44px 0 8px; padding-bottom: 4px; border-bottom: 2px solid var(--line); }
h3 { font-size: 16px; margin: 26px 0 4px; }
h4 { font-size: 14px; margin: 14px 0 2px; }
p { margin: 6px 0; max-width: 92ch; }
a { color: var(--link); }
b, code { unicode-bidi: isolate; }
code { font: 13px/1.4 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
nav { margin: 14px 0 0; }
nav a { margin-right: 16px; white-space: nowrap; }
.soft { color: var(--soft); }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 2px 18px; margin: 12px 0; }
.facts dt { color: var(--soft); }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.glossary { columns: 2; column-gap: 36px; margin: 8px 0; }
.glossary div { break-inside: avoid; margin-bottom: 8px; }
.glossary dt { font-weight: 600; }
.glossary dd { margin: 0; color: var(--text); font-size: 14px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; overflow-wrap: normal; font-size: 14px; font-variant-numeric: tabular-nums; margin: 10px 0; }
th, td { padding: 4px 9px; text-align: left; vertical-align: top; white-space: nowrap; }
th { background: var(--tint); border-bottom: 2px solid var(--line); font-weight: 600; vertical-align: bottom; }
td { border-bottom: 1px solid var(--rule); }
.right { text-align: right; }
.wide { white-space: normal; min-width: 16em; }
tr.first > * { border-top: 1px solid var(--edge); }
.framed { max-height: 84vh; overflow: auto; border: 1px solid var(--line); border-radius: 4px; }
.main-table { font-size: 12.5px; margin: 0; border-collapse: separate; border-spacing: 0; width: 100%; }
.main-table th, .main-table td { padding: 4px 5px; }
.main-table thead th { white-space: normal; position: sticky; top: 0; z-index: 2; }
.main-table tbody th { background: inherit; border-bottom: 1px solid var(--rule); vertical-align: top; }
.main-table tbody tr:not(.first) th { font-weight: 400; color: var(--soft); }
.main-table.mixed tbody tr:not(.first) th { color: inherit; }
.main-table button { font: inherit; color: inherit; background: none; border: 0; padding: 0; margin: 0; text-align: inherit; cursor: pointer; }
.main-table [aria-sort=ascending] button::after { content: "\\a0▲"; font-size: .8em; }
.main-table [aria-sort=descending] button::after { content: "\\a0▼"; font-size: .8em; }
.main-table tbody button:hover { text-decoration: underline; }
.main-table [aria-pressed=true] { text-decoration: underline; text-underline-offset: 3px; text-decoration-thickness: 2px; }
tr { background: var(--paper); }
.main-table tr.lit > * { background: var(--lit); }
tr.published { background: var(--tint); } tr.published > * { font-style: italic; }
.tools { display: flex; flex-wrap: wrap; gap: 6px 18px; align-items: baseline; margin: 10px 0 6px; font-size: 14px; }
.tools input[type=search], .tools button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: 4px; padding: 2px 8px; }
.tools details { margin: 0; } .tools fieldset { border: 1px solid var(--line); border-radius: 4px; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 4px 0; }
.tools details[open] { flex-basis: 100%; order: 3; }
.answers { margin: 8px 0 18px; display: grid; gap: 10px; border-left: 5px solid var(--mark); padding-left: 16px; max-width: 112ch; }
.answers dt { font-weight: 600; font-size: 14px; color: var(--soft); }
.answers dd { margin: 0; font-size: 17px; line-height: 1.4; }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 640px), 1fr)); gap: 0 32px; align-items: start; }
.charts figure { min-width: 0; }
tr.failed { background: var(--bad-back); color: var(--bad); }
tr.flagged { background: var(--warn-back); color: var(--warn); }
tr.pending { color: var(--soft); }
.main-table tr > :first-child { position: sticky; left: 0; z-index: 1; }
.main-table thead tr > :first-child { z-index: 3; }
.notes, .findings { padding-left: 20px; max-width: 110ch; }
.notes { font-size: 14px; color: var(--text); }
.banner { border-left: 4px solid; padding: 8px 14px; margin: 14px 0; }
.banner ul { margin: 4px 0; padding-left: 20px; }
.banner.failed { border-color: var(--bad); background: var(--bad-back); }
.banner.flagged, .banner.pending { border-color: var(--warn-line); background: var(--warn-back); }
figure { margin: 22px 0 34px; }
figure h3 { margin-top: 0; }
figcaption { color: var(--text); max-width: 100ch; margin-bottom: 8px; } .basis { color: var(--soft); font-size: 0.87em; }
figure .picture { overflow-x: auto; }
figure img { max-width: 100%; height: auto; }
.chart.vega-embed { padding-right: 0; padding-top: 4px; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 340px), 1fr)); gap: 12px 20px; }
.gallery figure { margin: 8px 0; min-width: 0; }
ol.stages { padding-left: 22px; }
ol.stages > li { margin-bottom: 12px; }
details { margin: 6px 0; }
summary { cursor: pointer; color: var(--link); }
footer { margin-top: 56px; border-top: 1px solid var(--line); padding-top: 12px; font-size: 13px; color: var(--soft); }
footer h3 { font-size: 13px; } footer pre { white-space: pre-wrap; font-size: 12px; }
@media screen { .off { display: none; } }
@media (max-width: 800px) { body { padding: 14px 12px 48px; } h1 { font-size: 21px; } .answers dd { font-size: 15px; }
  .main-table { font-size: 11.5px; } .main-table th, .main-table td { padding: 3px; white-space: normal; }
  .main-table tbody th { overflow-wrap: anywhere; min-width: 64px; max-width: 30vw; }
  .glossary { columns: 1; } .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: 6px; } }
@page { size: A4 landscape; margin: 10mm; }
@media print { nav, .tools, .vega-embed summary, footer details, #reading, #kernels, .scroll:empty { display: none; }
  body { max-width: none; padding: 0; font-size: 8.5pt; line-height: 1.35; } p { max-width: none; margin: 3px 0; }
  h1 { font-size: 15pt; } h2 { font-size: 11.5pt; margin: 14px 0 4px; border-width: 1px; } h3 { font-size: 9.5pt; margin: 8px 0 2px; }
  .scroll, .framed, figure .picture { overflow: visible; max-height: none; border: 0; } table { font-size: 7.5pt; margin: 4px 0; } th, td { padding: 1.5px 5px; }
  .answers { gap: 5px; max-width: none; } .answers dt, .answers dd { font-size: 9pt; }
  .main-table { font-size: 8.5px; } .main-table th, .main-table td { padding: 2px 3px; white-space: normal; } .main-table thead th { position: static; }
  .main-table .wide { min-width: 7em; } figure, tr, #recipes li { break-inside: avoid; } h2, h3 { break-after: avoid; } thead { display: table-row-group; }
  .charts { display: block; columns: 2; column-gap: 18px; } .charts figure { margin: 0 0 12px; } figcaption { font-size: 7pt; line-height: 1.25; margin-bottom: 2px; }
  .notes-box::details-content { content-visibility: visible; block-size: auto; } .notes-box .notes { columns: 2; column-gap: 18px; }
  .banner { padding: 3px 10px; margin: 6px 0; }
  .chart svg, figure img { max-width: 100%; height: auto; max-height: 44mm; } .gallery { grid-template-columns: repeat(4, 1fr); gap: 2px 14px; } .gallery figure { margin: 2px 0; }
  #recipes, #environment { columns: 4; column-gap: 14px; font-size: 6.5pt; } #recipes h2, #environment h2 { column-span: all; } #recipes :is(details, li > .soft, .onscreen) { display: none; }
  #recipes .facts, #recipes .facts :is(dt, dd) { display: inline; margin: 0; } #recipes .facts dd:not(:last-child)::after { content: "; "; } #recipes h3 { margin: 5px 0 0; } #recipes p { margin: 1px 0; }
  ol.stages { padding-left: 14px; margin: 2px 0; } ol.stages > li { margin-bottom: 3px; } .facts { grid-template-columns: max-content 1fr; gap: 0 8px; margin: 2px 0; }
  code { font-size: 6.5pt; } a { color: inherit; text-decoration: none; } footer { margin-top: 12px; padding-top: 4px; font-size: 7pt; } .notes, .findings { font-size: 7.5pt; max-width: none; margin: 3px 0; } }
`;
