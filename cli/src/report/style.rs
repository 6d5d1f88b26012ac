//! How the report looks: light, dark, on paper, and on a narrow screen.

/// The style sheet.
pub(super) const STYLE: &str = r#"
:root {
  --page: #f6f7f6; --card: #ffffff; --line: #dfe3e1; --ink: #16211f; --soft: #5a6764; --faint: #ecefed;
  --data: #2f7f79; --fill: #8fc3bd; --whisker: #163f3c; --range: #9ccbc6;
  --c0: #2a6f6b; --c1: #4f6d96; --c2: #7c5c86; --c3: #a35a4e; --c4: #8a6d1f; --c5: #4b7a45;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #101615; --card: #171f1e; --line: #2b3634; --ink: #e6ecea; --soft: #9baba7; --faint: #202a28;
    --data: #74c7bf; --fill: #2f6e69; --whisker: #c9efeb; --range: #37736e;
    --c0: #2f7f79; --c1: #5878a6; --c2: #8a6896; --c3: #b06455; --c4: #957728; --c5: #55874e;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 1080px; margin: 0 auto; padding: 48px 28px 72px; }
h1, h2, h3, h4, p, dl, dd, ol, figure { margin: 0; padding: 0; }
h1 { font-size: 38px; line-height: 1.15; letter-spacing: -.02em; font-weight: 650; }
h2 { font-size: 21px; letter-spacing: -.01em; font-weight: 650; margin-bottom: 6px; }
h3 { font-size: 16px; font-weight: 650; }
h4 { font-size: 14px; font-weight: 600; }
b, strong { font-weight: 600; }
code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
section { margin-top: 52px; }
.over { color: var(--data); font-size: 13px; font-weight: 600; letter-spacing: .04em; margin-bottom: 8px; }
.lede { font-size: 17px; max-width: 68ch; margin-top: 14px; }
.reading, .note, figcaption p, .budgets span, section > p { color: var(--soft); }
.reading, section > p { max-width: 80ch; margin-bottom: 18px; }
.note { font-size: 13px; margin-top: 8px; }
.cards { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px; grid-auto-flow: dense; }
.card { display: flex; flex-direction: column; background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 20px 22px 16px; break-inside: avoid; }
.card > svg { margin-top: auto; }
.wide { grid-column: 1 / -1; }
figcaption { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 2px 12px; align-items: start; margin-bottom: 12px; }
figcaption p { grid-column: 1 / -1; font-size: 14px; }
figcaption b { font-weight: 500; color: var(--ink); }
.cost { white-space: nowrap; border: 1px solid var(--line); border-radius: 99px; padding: 1px 9px; font-size: 12px; color: var(--soft); }
.multiples { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 18px 26px; }
.multiples > div { break-inside: avoid; }
.headline { display: flex; flex-wrap: wrap; gap: 6px 34px; margin-bottom: 14px; }
.headline dt { font-size: 13px; color: var(--soft); }
.headline strong { font-size: 25px; letter-spacing: -.01em; font-weight: 600; margin-right: 4px; }
.headline span { color: var(--soft); white-space: nowrap; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { font-size: 12px; fill: var(--soft); }
svg .mid { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .name { font-size: 13px; fill: var(--ink); }
svg .on { font-size: 17px; font-weight: 600; fill: #fff; }
.grid, .base, .whisker, .range, .thread { fill: none; }
.grid { stroke: var(--line); }
.base { stroke: var(--soft); }
.bar { fill: var(--fill); }
.whisker { stroke: var(--whisker); stroke-width: 1.4; }
.range { stroke: var(--range); stroke-width: 7; stroke-linecap: round; }
.thread { stroke: var(--data); stroke-width: 1.4; stroke-dasharray: 2 4; }
.dot { fill: var(--data); stroke: var(--card); stroke-width: 1.5; }
.rest { fill: var(--faint); }
.before { fill: var(--soft); opacity: .45; }
.now { fill: var(--data); }
.c0 { fill: var(--c0); background: var(--c0); } .c1 { fill: var(--c1); background: var(--c1); }
.c2 { fill: var(--c2); background: var(--c2); } .c3 { fill: var(--c3); background: var(--c3); }
.c4 { fill: var(--c4); background: var(--c4); } .c5 { fill: var(--c5); background: var(--c5); }
.legend { list-style: none; counter-reset: part; columns: 3 220px; column-gap: 34px; margin: 16px 0 28px; font-size: 14px; }
.legend li { counter-increment: part; display: flex; gap: 9px; align-items: baseline; break-inside: avoid; padding: 2px 0; }
.legend li::before { content: counter(part); color: var(--soft); min-width: 1.2em; text-align: right; }
.legend i { flex: none; width: 10px; height: 10px; border-radius: 2px; }
.legend span { flex: 1; }
.budgets { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)); gap: 16px 26px; margin-top: 8px; font-size: 14px; }
.budgets p { margin-bottom: 4px; }
.budgets .on { display: none; }
.scroll { overflow-x: auto; margin-top: 14px; background: var(--card); border: 1px solid var(--line); border-radius: 10px; }
table { width: 100%; border-collapse: collapse; font-size: 14px; overflow-wrap: normal; }
th, td { text-align: left; padding: 5px 14px; vertical-align: baseline; }
th { font-weight: 600; }
thead th { font-size: 13px; color: var(--soft); border-bottom: 1px solid var(--line); padding: 10px 14px; white-space: nowrap; }
tbody + tbody tr:first-child td { border-top: 1px solid var(--line); }
tbody tr:first-child > * { padding-top: 9px; }
tbody tr:last-child > * { padding-bottom: 9px; }
.n { text-align: right; white-space: nowrap; }
td code { white-space: nowrap; }
.of { color: var(--soft); white-space: nowrap; }
.facts { display: grid; gap: 4px; margin-top: 12px; }
.facts div { display: grid; grid-template-columns: 90px minmax(0, 1fr); }
.facts dt { color: var(--soft); }
[title] { text-decoration: none; cursor: help; }
@media screen and (max-width: 760px) {
  main { padding: 28px 16px 48px; }
  h1 { font-size: 30px; }
  .cards, .multiples { grid-template-columns: minmax(0, 1fr); }
  .card { padding: 16px; }
  svg text { font-size: 14px; }
  svg .on { display: none; }
  th, td, thead th { padding-left: 10px; padding-right: 10px; }
}
@media print {
  :root { --page: #fff; --card: #fff; --line: #ccc; --ink: #000; --soft: #444; --faint: #eee; --data: #2f7f79; --fill: #8fc3bd;
    --whisker: #163f3c; --range: #9ccbc6; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 11px; }
  main { max-width: none; padding: 0; }
  section { margin-top: 26px; }
  tr, .legend li { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .scroll { overflow: visible; }
  table, thead th { font-size: 10px; }
  th, td, thead th { padding-left: 6px; padding-right: 6px; }
}
"#;
