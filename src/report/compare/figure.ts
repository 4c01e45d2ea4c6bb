import type { Comparison } from "../../audit/index.ts";
import { plural } from "../format.ts";
import { html, markupOf, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { type Cell, cellName, cellsOf } from "./cells.ts";
import { type AttackLine, costChart, floorOf, linesOf, SIZE } from "./charts.ts";

/**
 * The charts of a comparison as one SVG file for documents: a row for each setting and batch size with PSNR against
 * evaluations and against seconds, the attacks' names under each. Colours are fixed, on white.
 */
export function comparisonFigure(comparison: Comparison, document: DrawingDocument): string | undefined {
  const cells = cellsOf(comparison).filter((cell) => linesOf(comparison, cell, "evaluations").length > 0);
  if (cells.length === 0) return undefined;
  let top = 0;
  const parts = cells.map((cell) => {
    const lines = linesOf(comparison, cell, "evaluations");
    const at = top;
    const keyRows = Math.ceil((lines.length + 1) / KEY_COLUMNS);
    top += TITLE + SIZE.height + keyRows * KEY_HEIGHT + GAP;
    const placed = (cost: "evaluations" | "seconds", x: number) => {
      const chart = markupOf(costChart(comparison, cell, cost, document));
      return raw(chart.replace("<svg ", `<svg x="${x}" y="${TITLE}" `));
    };
    return html`<g transform="translate(0 ${at})"><text x="8" y="18" font-size="14" font-weight="600" fill="#1b1f23">${cellName(cell)}</text>
${placed("evaluations", 0)}${placed("seconds", SIZE.width)}
<g transform="translate(8 ${TITLE + SIZE.height + 8})">${keyOf(lines, cell)}</g></g>`;
  });
  const [width, height] = [2 * SIZE.width, top];
  const text =
    markupOf(html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">
<rect width="100%" height="100%" fill="#ffffff"></rect>
${parts}
</svg>
`);
  return text.replace(/var\((--[a-z0-9-]+)\)/g, (_, name: string) => ON_WHITE[name] ?? "#1b1f23");
}

const TITLE = 26; // px over the charts
const KEY_HEIGHT = 18;
const KEY_COLUMNS = 4;
const GAP = 20;

/** The page's colours on white, for a file that has no page around it. */
export const ON_WHITE: Readonly<Record<string, string>> = {
  "--attack-0": "#0b6b68",
  "--attack-1": "#b4500b",
  "--attack-2": "#6d5bb0",
  "--attack-3": "#a8205f",
  "--attack-4": "#2a66b8",
  "--attack-5": "#7a6a00",
  "--attack-6": "#3d7a1d",
  "--attack-7": "#6b5546",
  "--floor": "#8c9199",
  "--plot-background": "#ffffff",
};

function keyOf(lines: readonly AttackLine[], cell: Cell) {
  const items = [
    ...lines.map(({ attack, trials, colour, dash }) => ({
      name: `${attack}, ${plural(trials, "trial")}`,
      colour,
      dash,
    })),
    ...(floorOf(cell) === null ? [] : [{ name: "highest floor", colour: "var(--floor)", dash: "2 3" }]),
  ];
  const wide = (2 * SIZE.width - 16) / KEY_COLUMNS;
  return items.map(({ name, colour, dash }, i) => {
    const [x, y] = [(i % KEY_COLUMNS) * wide, Math.floor(i / KEY_COLUMNS) * KEY_HEIGHT];
    return html`<line x1="${x}" x2="${x + 22}" y1="${y + 4}" y2="${y + 4}" stroke="${colour}" stroke-width="2.5"${dash !== undefined && html` stroke-dasharray="${dash}"`}></line><text x="${x + 28}" y="${y + 8}" font-size="12" fill="#1b1f23">${name}</text>`;
  });
}
