/** The report's style sheet: one column of at most 1080 px, light and dark by the reader's preference, plain on paper. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --page: #f7f7f4; --card: #ffffff; --ink: #1b1f23; --muted: #596069; --line: #deded8;
  --result: #0b6b68; --reuse: #6d5bb0; --floor: #8c9199; --warn: #8a4b00; --code: #eeeee9;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171a; --card: #1c2024; --ink: #e7e9eb; --muted: #a0a8b1; --line: #32383e;
    --result: #52c7bf; --reuse: #b3a4f0; --floor: #8a929b; --warn: #f0b072; --code: #23282d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 40px 32px 56px; max-width: 1144px; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; font-variant-numeric: tabular-nums;
}
h1 { margin: 8px 0 16px; max-width: 24em; font-size: 34px; line-height: 1.2; letter-spacing: -0.015em; text-wrap: balance; }
h2 { margin: 0 0 8px; font-size: 20px; line-height: 1.3; letter-spacing: -0.005em; }
h3 { margin: 20px 0 8px; font-size: 15px; }
p { margin: 0 0 8px; max-width: 44em; }
section { margin-top: 52px; }
section > p { color: var(--muted); margin-bottom: 20px; }
figure { margin: 0; }
img { image-rendering: pixelated; display: block; background: var(--code); }
small { display: block; color: var(--muted); font-size: 13px; font-weight: 400; }
.brand { display: flex; align-items: center; gap: 12px; margin: 0 0 24px; font-weight: 600; }
.status { padding: 1px 10px; border: 1px solid currentColor; border-radius: 99px; color: var(--muted); font-size: 13px; font-weight: 500; }
.status.interrupted, .status.failed { color: var(--warn); }
.run { margin: 0; color: var(--muted); }
.lead { font-size: 19px; }
.lead + p { color: var(--muted); }
.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1px; margin: 32px 0 0; overflow: hidden;
  border: 1px solid var(--line); border-radius: 10px; background: var(--line); }
.facts > div { padding: 16px 20px; background: var(--card); }
.facts dt { color: var(--muted); font-size: 14px; }
.facts dd { margin: 0; }
.facts strong { display: block; font-size: 26px; line-height: 1.3; letter-spacing: -0.01em; font-weight: 600; }
.facts span { display: block; color: var(--muted); font-size: 13px; line-height: 1.4; }
.facts > div:last-child:nth-child(3n + 2) { grid-column: span 2; }
.facts > div:first-child strong { color: var(--result); }
ol.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(240px, 100%), 1fr)); gap: 16px; margin: 0; padding: 0; list-style: none; }
ol.few { grid-template-columns: repeat(auto-fill, minmax(min(420px, 100%), 1fr)); }
.pair { display: flex; flex-direction: column; padding: 12px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; }
.two img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; }
figcaption { color: var(--muted); font-size: 13px; }
.pair p { margin: 0; }
.score { display: flex; align-items: baseline; justify-content: space-between; gap: 8px; padding-top: 6px; }
.score strong { font-size: 18px; }
.score span, .label { font-size: 14px; }
.own { color: var(--muted); font-size: 13px; }
.label .arrow { padding: 0 6px; color: var(--muted); }
.best { display: flex; align-items: center; gap: 8px; margin-top: auto !important; padding-top: 8px; color: var(--muted); font-size: 13px; line-height: 1.3; }
.best img { width: 28px; height: 28px; flex: none; object-fit: contain; border-radius: 3px; }
.strip { display: flex; flex-wrap: wrap; gap: 8px; margin: 0; padding: 0; list-style: none; }
.strip img { width: 112px; height: 112px; object-fit: contain; border-radius: 4px; }
table { width: 100%; border-collapse: collapse; font-size: 15px; }
th { text-align: left; font-weight: 500; }
thead th { color: var(--muted); font-size: 13px; font-weight: 500; vertical-align: bottom; }
th, td { padding: 8px 12px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.floors { table-layout: fixed; }
.floors th:first-child { width: 28%; }
.floors .number { width: 96px; vertical-align: middle; }
.floors thead .number { vertical-align: bottom; }
.floors .number:last-child { width: 64px; }
.floors .track { position: relative; padding: 0; }
.floors .scale, .floors .lane { position: absolute; inset: 0 24px 0 12px; }
.floors .scale span { position: absolute; bottom: 8px; transform: translateX(-50%); white-space: nowrap; }
.floors .lane > * { position: absolute; }
.floors .lane i { top: 0; bottom: 0; width: 1px; background: var(--line); }
.floors .lane em { top: 50%; width: 2px; height: 14px; margin: -7px 0 0 -1px; background: currentColor; opacity: 0.45; }
.floors .lane b { top: 50%; width: 13px; height: 13px; margin: -6.5px 0 0 -6.5px; border: 2.5px solid currentColor; border-radius: 50%; background: var(--page); }
.floors .result .track { color: var(--result); }
.floors .result b { background: currentColor; }
.floors .result th, .floors .result .number { font-weight: 600; }
.floors .reuse .track { color: var(--reuse); }
.floors .floor .track { color: var(--floor); }
.floors .floor b { border-radius: 0; transform: rotate(45deg) scale(0.8); }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 16px; }
.chart { padding: 14px 16px 10px; border: 1px solid var(--line); border-radius: 10px; background: var(--card); }
.chart { display: flex; flex-direction: column; }
.chart svg { margin-top: auto; }
.chart figcaption strong { display: block; color: var(--ink); font-size: 15px; font-weight: 600; }
.chart svg { --plot-background: var(--card); font-size: 11px; width: 100%; height: auto; margin: 8px 0 4px; }
.chart p { margin: 0; color: var(--muted); font-size: 13px; }
.ledger th:first-child { width: 24%; }
.ledger th:last-child, .ledger td:last-child { width: 110px; }
.origin { display: inline-block; padding: 0 8px; border: 1px solid var(--line); border-radius: 4px; background: var(--card); font-size: 13px; white-space: nowrap; }
.origin.our-choice { border-color: currentColor; color: var(--warn); }
.legend { display: flex; flex-wrap: wrap; gap: 6px 24px; margin: 16px 0 0; color: var(--muted); font-size: 13px; }
.legend div { display: flex; gap: 8px; }
.legend dd { margin: 0; }
.groups { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(300px, 100%), 1fr)); gap: 24px 32px; align-items: start; }
caption { padding-bottom: 4px; text-align: left; font-weight: 600; }
.groups table { font-size: 14px; }
.groups th, .groups td { padding: 5px 12px 5px 0; }
.groups th { color: var(--muted); font-weight: 400; width: 50%; }
pre { margin: 0 0 24px; padding: 14px 16px; border: 1px solid var(--line); border-radius: 10px; background: var(--code); white-space: pre-wrap; overflow-wrap: anywhere; }
code { font: 14px/1.5 ui-monospace, "SF Mono", Menlo, "Liberation Mono", monospace; user-select: all; -webkit-user-select: all; }
footer { margin-top: 56px; padding-top: 16px; border-top: 1px solid var(--line); color: var(--muted); font-size: 14px; }
@media screen and (max-width: 720px) {
  body { padding: 24px 16px 40px; }
  h1 { font-size: 27px; }
  .facts { grid-template-columns: 1fr 1fr; }
  .facts > div:last-child:nth-child(n) { grid-column: auto; }
  .facts > div:last-child:nth-child(odd) { grid-column: span 2; }
  .facts > div { padding: 12px 14px; }
  .facts strong { font-size: 21px; }
  .floors, .floors thead, .floors tbody { display: block; }
  .floors tr { display: grid; grid-template-columns: 1fr auto 52px; column-gap: 12px; padding: 8px 0 0; border-bottom: 1px solid var(--line); }
  .floors th, .floors td { padding: 0; border: 0; }
  .floors th:first-child, .floors .number, .floors .number:last-child { width: auto; }
  .floors .number { align-self: start; }
  .floors .track { grid-row: 2; grid-column: 1 / -1; height: 30px; }
  .floors .scale, .floors .lane { inset: 0 12px 0 4px; }
  .ledger, .ledger tbody, .ledger tr, .ledger th, .ledger td { display: block; width: auto !important; }
  .ledger thead { display: none; }
  .ledger tr { padding: 8px 0; border-bottom: 1px solid var(--line); }
  .ledger th, .ledger td { padding: 2px 0; border: 0; }
  .ledger th { font-weight: 600; }
}
@media print {
  :root { color-scheme: light; --page: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #ccc;
    --result: #0b6b68; --reuse: #6d5bb0; --floor: #777; --warn: #7a4200; --code: #f4f4f4; }
  body { padding: 0; max-width: none; font-size: 11pt; }
  section { margin-top: 24pt; }
  ol.pairs { grid-template-columns: repeat(3, 1fr); }
  h2 { break-after: avoid; }
  .pair, .chart, tr, .facts, pre { break-inside: avoid; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
