import type { Tradeoff } from "../../audit/index.ts";
import { ON_WHITE } from "../compare/figure.ts";
import { html, markupOf, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { CHART_SIZE, colourOf, tradeoffChart } from "./chart.ts";
import { defencesOf, panelsOf } from "./lines.ts";

/**
 * The charts of a trade-off as one SVG file for documents: a panel for each place and number of local steps, the defences'
 * names under them. Colours are fixed, on white. Undefined while nothing is scored.
 */
export function tradeoffFigure(tradeoff: Tradeoff, document: DrawingDocument): string | undefined {
  const charts = panelsOf(tradeoff).flatMap((panel) => {
    const chart = tradeoffChart(tradeoff, panel, document);
    return chart === undefined ? [] : [{ title: panel.title, markup: markupOf(chart) }];
  });
  if (charts.length === 0) return undefined;
  const columns = Math.min(charts.length, COLUMNS);
  const [wide, high] = [CHART_SIZE.width, TITLE + CHART_SIZE.height];
  const keys = keyOf(tradeoff);
  const [width, top] = [columns * wide, Math.ceil(charts.length / columns) * high];
  const keyColumns = Math.floor(width / KEY_WIDTH);
  const keyRows = Math.ceil(keys.length / keyColumns);
  const height = top + keyRows * KEY_HEIGHT + KEY_HEIGHT;
  const parts = charts.map(({ title, markup }, i) => {
    const [x, y] = [(i % columns) * wide, Math.floor(i / columns) * high];
    return html`<text x="${x + 8}" y="${y + 18}" font-size="14" font-weight="600" fill="#1b1f23">${title}</text>
${raw(markup.replace("<svg ", `<svg x="${x}" y="${y + TITLE}" `))}`;
  });
  const key = keys.map(({ name, colour }, i) => {
    const [x, y] = [12 + (i % keyColumns) * KEY_WIDTH, top + 14 + Math.floor(i / keyColumns) * KEY_HEIGHT];
    return html`<circle cx="${x}" cy="${y - 4}" r="4.5" fill="${colour}"></circle><text x="${x + 10}" y="${y}" font-size="12" fill="#1b1f23">${name}</text>`;
  });
  const text =
    markupOf(html`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">
<rect width="100%" height="100%" fill="#ffffff"></rect>
${parts}
${key}
</svg>
`);
  return text.replace(/var\((--[a-z0-9-]+)\)/g, (_, name: string) => ON_WHITE[name] ?? "#1b1f23");
}

/** The names under a chart: each defence with its colour, and the band. */
export function keyOf(tradeoff: Tradeoff): { readonly name: string; readonly colour: string }[] {
  const defences = defencesOf(tradeoff).map((name) => ({
    name: name === "none" ? "no defence" : name,
    colour: colourOf(tradeoff, name),
  }));
  return [...defences, { name: "floors: nothing leaked", colour: "var(--floor)" }];
}

const COLUMNS = 2; // panels side by side; our choice
const TITLE = 26; // px over a panel
const KEY_HEIGHT = 20;
const KEY_WIDTH = 200; // px; our choice: the longest name of a defence fits
