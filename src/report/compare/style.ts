/** What a comparison's report adds to the style of all reports. */
export const COMPARE_STYLE = `
:root {
  --attack-0: #0b6b68; --attack-1: #b4500b; --attack-2: #6d5bb0; --attack-3: #a8205f;
  --attack-4: #2a66b8; --attack-5: #7a6a00; --attack-6: #3d7a1d; --attack-7: #6b5546;
}
@media (prefers-color-scheme: dark) {
  :root {
    --attack-0: #52c7bf; --attack-1: #f09a58; --attack-2: #b3a4f0; --attack-3: #f183b4;
    --attack-4: #7db2f5; --attack-5: #d6c14f; --attack-6: #93cf6d; --attack-7: #c9b09d;
  }
}
.rank .number { width: 128px; }
.rank .number:last-child { width: 148px; }
.rank td small { font-size: 12px; white-space: nowrap; }
.rank .lane s { top: 0; bottom: 0; width: 0; border-left: 1.5px dashed var(--floor); }
.rank .lane u { top: 50%; height: 8px; margin-top: -4px; border-radius: 4px; background: currentColor; opacity: 0.28; }
.rank .lane b { background: currentColor; border-color: var(--page); border-width: 2px; }
.charts.wide { grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); margin-top: 24px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 12px 0 0; padding: 0; list-style: none; font-size: 14px; }
.key li { display: flex; align-items: center; gap: 8px; }
.scroll { overflow-x: auto; }
.full { font-size: 14px; }
.full th, .full td { padding: 6px 0 6px 18px; white-space: nowrap; }
.full th:first-child { padding-left: 0; }
.gallery { width: auto; font-size: 14px; }
.gallery th, .gallery td { padding: 0 8px 10px 0; border: 0; overflow-wrap: normal; }
.gallery th { min-width: 120px; max-width: 180px; padding-top: 4px; overflow-wrap: anywhere; }
.gallery img { width: 96px; height: 96px; object-fit: contain; border-radius: 4px; }
.gallery small { font-size: 12px; }
.note { margin-top: 8px; color: var(--muted); font-size: 14px; overflow-wrap: anywhere; }
@media screen and (max-width: 720px) {
  .facts > div:last-child:nth-child(odd) { grid-column: 1 / -1; }
  .floors.rank tr { grid-template-columns: 1fr 1fr; padding-bottom: 4px; }
  .floors.rank th:first-child { grid-column: 1 / -1; }
  .floors.rank .number, .floors.rank .number:last-child { grid-row: 2; width: auto; }
  .floors.rank td.number:nth-child(3), .floors.rank th.number:nth-child(3) { text-align: left; }
  .floors.rank .track { grid-row: 3; }
  .gallery th { position: sticky; left: 0; min-width: 76px; max-width: 84px; background: var(--page); font-size: 12px; }
  .gallery img { width: 64px; height: 64px; }
}
`;
