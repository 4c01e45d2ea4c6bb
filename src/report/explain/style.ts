/** What the explanation's page adds to the report's style sheet. */
export const EXPLAIN_STYLE = `
:root { --neither: #6f757c; --partial: #6d5bb0; --regular: #a35a00; --both: #0b6b68; }
@media (prefers-color-scheme: dark) { :root { --neither: #9aa2ab; --partial: #b3a4f0; --regular: #f0b072; --both: #52c7bf; } }
h1 { max-width: 28em; }
ul.findings { margin: 24px 0 0; padding: 0; list-style: none; }
ul.findings li { padding: 12px 0; border-top: 1px solid var(--line); max-width: 48em; }
ul.findings strong { display: block; }
ul.key { display: flex; flex-wrap: wrap; gap: 4px 24px; margin: 0 0 16px; padding: 0; list-style: none; font-size: 14px; }
ul.key li { display: flex; align-items: center; gap: 8px; }
ul.key svg { width: 32px; height: 10px; flex: none; }
.finding { color: var(--ink) !important; font-size: 17px; }
.charts { grid-template-columns: repeat(auto-fill, minmax(min(320px, 100%), 1fr)); }
.scroll { overflow-x: auto; margin-top: 20px; }
.scroll table { min-width: 700px; font-size: 14px; }
.scroll th { overflow-wrap: normal; }
.scroll th:first-child { min-width: 150px; }
.scroll thead .number { white-space: normal; min-width: 64px; }
.scroll + p { margin-top: 6px; }
.formulas { margin: 0 0 20px; padding: 0 0 0 18px; max-width: 46em; color: var(--muted); font-size: 14px; }
.formulas li { padding: 2px 0; }
@media screen and (max-width: 720px) { .scroll table { min-width: 620px; } .scroll.four table { min-width: 0; } .four th:first-child { min-width: 90px; } }
@media print { .scroll { overflow: visible; } }
`;
