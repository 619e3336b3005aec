/** How the page looks: light or dark as the reader prefers, light on paper; one column, tables that scroll sideways where they must. Charts are drawn on white. */
export const style = `
:root { color-scheme: light; --paper: #fff; --ink: #222; --text: #3c3c3c; --soft: #5a5a5a; --line: #dcdcdc; --rule: #eee; --edge: #bbb; --tint: #f6f7f9;
  --link: #0b5394; --bad: #a52a00; --bad-back: #fdece6; --warn: #7a5200; --warn-back: #fff6e0; --warn-line: #d19a00; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #16191d; --ink: #e6e6e6; --text: #c9c9c9; --soft: #a6a6a6; --line: #444a52; --rule: #2b3037; --edge: #616973; --tint: #22262c;
    --link: #8ab8f0; --bad: #ff9b76; --bad-back: #3a2019; --warn: #f0c46c; --warn-back: #332b17; --warn-line: #b98a12; }
  figure .picture { background: #fff; border-radius: 6px; padding: 4px; }
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
tr.first td { border-top: 1px solid var(--edge); }
.main-table { font-size: 12.5px; }
.main-table td:first-child { font-weight: 600; }
.main-table th, .main-table td { padding: 4px 3px; }
.main-table .wide { min-width: 8em; }
.main-table th { white-space: normal; }
tr { background: var(--paper); }
tr.failed { background: var(--bad-back); color: var(--bad); }
tr.flagged { background: var(--warn-back); color: var(--warn); }
tr.pending { color: var(--soft); }
.main-table th:first-child, .main-table td:first-child { position: sticky; left: 0; }
.main-table td:first-child { background: inherit; }
.notes, .findings { padding-left: 20px; max-width: 110ch; }
.notes { font-size: 14px; color: var(--text); }
.banner { border-left: 4px solid; padding: 8px 14px; margin: 14px 0; }
.banner ul { margin: 4px 0; padding-left: 20px; }
.banner.failed { border-color: var(--bad); background: var(--bad-back); }
.banner.flagged, .banner.pending { border-color: var(--warn-line); background: var(--warn-back); }
figure { margin: 22px 0 34px; }
figure h3 { margin-top: 0; }
figcaption { color: var(--text); max-width: 100ch; margin-bottom: 8px; }
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
footer pre { white-space: pre-wrap; font-size: 12px; }
@media (max-width: 800px) { .main-table td:first-child { white-space: normal; overflow-wrap: anywhere; min-width: 72px; max-width: 38vw; }
  .glossary { columns: 1; } .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: 6px; } }
@page { size: landscape; margin: 12mm; }
@media print { nav, .vega-embed summary { display: none; } body { max-width: none; padding: 0; } .scroll, figure .picture { overflow: visible; }
  .main-table { font-size: 8.5px; } .main-table th, .main-table td { padding: 2px 3px; white-space: normal; } .main-table .wide { min-width: 7em; } figure, tr { break-inside: avoid; } h2, h3 { break-after: avoid; }
  .chart svg { max-width: 100%; height: auto; } }
`;
