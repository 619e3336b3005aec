/** How the page of a procurement looks beside what all pages share: one sheet of A4 on paper. */
export const procurementStyle = `
body { max-width: 1200px; }
h2 { margin: 22px 0 6px; font-size: 17px; }
.answer { font-size: 20px; line-height: 1.35; font-weight: 600; max-width: none; border-left: 5px solid #0072b2; padding: 4px 0 4px 14px; margin: 12px 0; }
.answer.none { border-color: #d55e00; }
.reasons, .findings { margin: 4px 0; padding-left: 20px; }
table { font-size: 13px; } td, th { white-space: normal; padding: 4px 7px; }
td.right { white-space: nowrap; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); gap: 8px 20px; }
.pair figure { margin: 4px 0; min-width: 0; }
.pair figcaption { font-size: 12.5px; }
.pair svg, .pair img { max-width: 100%; height: auto; }
footer { margin-top: 22px; }
@media screen and (prefers-color-scheme: dark) { .answer { border-color: #56b4e9; } .answer.none { border-color: #ff8a4c; } }
@page { size: A4 portrait; margin: 10mm 11mm; }
@media print {
  :root { --ink: #000; --soft: #444; --line: #bbb; --tint: #f2f2f2; }
  body { font-size: 8.6pt; line-height: 1.32; }
  h1 { font-size: 15pt; margin: 0 0 2px; } h2 { font-size: 10.5pt; margin: 8px 0 2px; padding-bottom: 1px; border-width: 1px; } h3 { font-size: 9pt; }
  .answer { font-size: 11.5pt; margin: 6px 0; } p { margin: 2px 0; max-width: none; } .reasons, .findings { max-width: none; margin: 2px 0; }
  table { font-size: 7.6pt; margin: 3px 0; } th, td { padding: 1.5px 4px; } td.right { white-space: normal; } td { border-bottom-color: #ddd; }
  .pair { grid-template-columns: 1fr 1fr; gap: 0 12px; } .pair figcaption { font-size: 7pt; margin-bottom: 2px; } .picture { padding: 0; }
  a { color: inherit; text-decoration: none; } footer { margin-top: 6px; padding-top: 3px; font-size: 7pt; } footer details { display: none; }
}
`;
