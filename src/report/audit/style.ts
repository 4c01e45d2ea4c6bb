/** What the audit's page adds to the report's style sheet. */
export const AUDIT_STYLE = `
.one { max-width: 220px; }
.one img { width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 4px; }
.agreement { margin: 6px 0 0 !important; font-weight: 600; font-size: 14px; }
.agreement.yes { color: var(--result); }
.agreement.no { color: var(--muted); }
ul.others { display: flex; flex-wrap: wrap; gap: 8px; margin: auto 0 0; padding: 10px 0 0; list-style: none; }
ul.others img { width: 56px; height: 56px; object-fit: contain; border-radius: 3px; }
ul.others small { font-size: 12px; }
ul.plain, ol.advice { margin: 0; padding: 0; list-style: none; max-width: 48em; }
ul.plain li, ol.advice li { padding: 8px 0; border-top: 1px solid var(--line); }
ul.plain li.broken::before { content: "✗ "; color: var(--warn); }
ul.plain li.doubt::before { content: "! "; color: var(--warn); }
ul.plain li.passed::before { content: "✓ "; color: var(--result); }
ul.plain li.note::before { content: "· "; color: var(--muted); }
.scroll { overflow-x: auto; margin-bottom: 20px; }
.scroll th { overflow-wrap: normal; }
.scroll .number { padding-left: 12px; }
.label-counts { max-width: 34em; }
@media screen and (min-width: 721px) { .facts > div:last-child:nth-child(3n + 1) { grid-column: span 3; } }
@media print { .scroll { overflow: visible; } }
`;
