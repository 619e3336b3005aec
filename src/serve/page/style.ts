import { style } from '../../report/html/style.js';

/** How the dashboard looks: as reports do, with a frame, forms and states of its own. */
export const pageStyle = `${style}
body { padding-top: 0; min-height: 100vh; }
h1 { margin: 20px 0 10px; } h1:focus { outline: none; }
#content:focus { outline: none; }
.skip { position: absolute; left: -9999px; } .skip:focus { left: 12px; top: 8px; z-index: 9; background: var(--paper); padding: 6px 12px; border: 2px solid var(--mark); border-radius: 4px; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.bar { display: flex; flex-wrap: wrap; gap: 4px 24px; align-items: center; border-bottom: 2px solid var(--line); padding: 10px 0 8px; }
.bar .brand { font-weight: 700; font-size: 17px; color: var(--ink); text-decoration: none; }
.bar nav { margin: 0; display: flex; flex-wrap: wrap; gap: 2px 4px; }
.bar nav a { margin: 0; padding: 5px 10px; border-radius: 4px; text-decoration: none; }
.bar nav a:hover { background: var(--tint); text-decoration: underline; }
.bar nav a[aria-current] { background: var(--lit); color: var(--ink); font-weight: 600; }
.whereabouts { margin: 0 0 0 auto; display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: center; font-size: 13px; color: var(--soft); }
.connection.live::before { content: "● "; color: var(--mark); }
.lost { margin: 0; max-width: none; padding: 6px 12px; background: var(--warn-back); color: var(--warn); border-left: 4px solid var(--warn-line); }
button, input:not([type=checkbox], [type=range]), select, textarea { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--edge); border-radius: 4px; padding: 4px 9px; min-height: 32px; max-width: 100%; }
th button, .main-table button { min-height: 0; }
button { cursor: pointer; } button:hover:not(:disabled) { background: var(--tint); } button:disabled { color: var(--soft); cursor: not-allowed; border-style: dashed; }
button.main { background: var(--link); border-color: var(--link); color: var(--paper); font-weight: 600; }
button.main:hover:not(:disabled) { background: var(--ink); border-color: var(--ink); }
button.main:disabled { background: var(--tint); border-color: var(--edge); color: var(--soft); }
.field { display: flex; flex-direction: column; gap: 2px; font-size: 14px; min-width: 0; } .field > span { color: var(--soft); font-size: 13px; }
.check { display: inline-flex; gap: 6px; align-items: baseline; font-size: 14px; }
.filters { display: flex; flex-wrap: wrap; gap: 10px 14px; align-items: end; margin: 10px 0; } .filters details.more { flex-basis: 100%; order: 5; margin: 0; }
.filters .field:has([type=search], [name=runs]) { flex: 1 1 36ch; max-width: 80ch; } .filters select { max-width: 40ch; }
h2 { margin-top: 30px; } .cards b { font-size: 16px; }
.stack { display: grid; gap: 10px; max-width: 92ch; justify-items: start; } .stack textarea, .stack .field:has(textarea) { width: 100%; }
textarea { font: 13px/1.45 ui-monospace, "Cascadia Mono", Menlo, Consolas, monospace; resize: vertical; }
.actions { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
.choice fieldset { border: 1px solid var(--line); border-radius: 4px; display: flex; flex-wrap: wrap; gap: 4px 16px; }
.empty { color: var(--soft); padding: 14px 16px; border: 1px dashed var(--edge); border-radius: 6px; max-width: 92ch; }
.state { white-space: nowrap; font-weight: 600; } .state.going { color: var(--mark-text, var(--link)); } .state.good { color: var(--good); } .state.doubt { color: var(--warn); } .state.bad { color: var(--bad); } .state.calm { color: var(--soft); font-weight: 400; }
:root { --good: #1d6b45; } .banner.done { border-color: var(--mark); background: var(--lit); }
.list { width: 100%; } .list td { vertical-align: middle; } .list .wide { min-width: 12em; }
.list tbody tr:hover > * { background: var(--tint); }
.progress { display: inline-flex; gap: 8px; align-items: center; font-size: 13px; white-space: nowrap; font-variant-numeric: tabular-nums; }
progress { appearance: none; width: 120px; height: 9px; border: 1px solid var(--edge); border-radius: 5px; background: var(--paper); overflow: hidden; }
progress::-webkit-progress-bar { background: var(--paper); } progress::-webkit-progress-value { background: var(--mark); } progress::-moz-progress-bar { background: var(--mark); }
#progress progress { width: min(420px, 60vw); height: 14px; }
.cards { list-style: none; margin: 8px 0; padding: 0; display: grid; gap: 12px; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); }
.card { border: 1px solid var(--line); border-left: 5px solid var(--mark); border-radius: 6px; padding: 10px 14px; display: grid; gap: 4px; }
.contents { position: sticky; top: 0; z-index: 4; background: var(--paper); padding: 6px 0; border-bottom: 1px solid var(--line); font-size: 14px; }
section, figure { scroll-margin-top: 48px; }
article { border-top: 3px solid var(--line); margin-top: 36px; } article > h2 { border: 0; margin-top: 12px; } article section h2 { font-size: 17px; margin-top: 20px; }
.answer { font-size: 18px; line-height: 1.4; font-weight: 600; max-width: none; border-left: 5px solid var(--mark); padding: 2px 0 2px 14px; margin: 12px 0; }
.procure { display: grid; grid-template-columns: minmax(280px, 340px) minmax(0, 1fr); gap: 12px 36px; align-items: start; } .procure form { position: sticky; top: 12px; display: grid; gap: 12px; margin-top: 12px; }
.procure fieldset { border: 1px solid var(--line); border-radius: 6px; display: grid; gap: 10px; margin: 0; min-width: 0; } .procure legend { font-weight: 600; }
.procure [aria-busy=true] { opacity: .6; transition: opacity .2s .3s; } .procure section:first-child h2 { margin-top: 8px; } .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 380px), 1fr)); gap: 0 24px; } .pair figure { min-width: 0; }
.limit { display: grid; grid-template-columns: minmax(0, 1fr) 9ch; gap: 2px 10px; align-items: center; } .limit label { grid-column: 1 / -1; } .limit input[type=range] { width: 100%; accent-color: var(--mark); margin: 0; min-height: 32px; }
dialog { border: 1px solid var(--edge); border-radius: 8px; background: var(--paper); color: var(--ink); max-width: min(56ch, calc(100vw - 32px)); padding: 16px 20px; } dialog::backdrop { background: #0008; }
.vega-embed .vega-actions { display: flex; gap: 4px 14px; font-size: 12px; padding: 2px 8px; }
#vg-tooltip-element { visibility: hidden; position: fixed; z-index: 1000; padding: 8px; border-radius: 4px; font-size: 12px; background: var(--paper); color: var(--ink); border: 1px solid var(--edge); box-shadow: 0 2px 6px #0003; pointer-events: none; } #vg-tooltip-element.visible { visibility: visible; } #vg-tooltip-element table { margin: 0; font-size: 12px; } #vg-tooltip-element td { padding: 1px 4px; border: 0; } #vg-tooltip-element td.key { color: var(--soft); text-align: right; } #vg-tooltip-element h2 { font-size: 13px; margin: 0 0 4px; border: 0; }
#facts .facts { margin-bottom: 4px; }
@media screen and (prefers-color-scheme: dark) { :root { --good: #7fd6a4; } }
@media (max-width: 800px) {
  .whereabouts { margin: 0; } .bar nav a { padding: 5px 8px; } .procure { grid-template-columns: minmax(0, 1fr); } .procure form { position: static; }
  .list, .list thead, .list tbody, .list tr { display: block; } .list thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .contents { position: static; } .filters > .field { flex: 1 1 40%; } .filters input, .filters select { width: 100%; }
}
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } progress::-webkit-progress-value { transition: inline-size .3s; } }
`;
