import * as Plot from "@observablehq/plot";
import type { Comparison } from "../../audit/index.ts";
import { countText, plural, tickText } from "../format.ts";
import { type Html, html, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { type Cell, resultsOf, strokeOf } from "./cells.ts";
import { type Cost, type CurvePoint, meanCurve } from "./mean-curve.ts";

/** PSNR against gradient evaluations and against seconds, one line an attack; nothing while there is no curve. */
export function chartsMarkup(comparison: Comparison, cell: Cell, document: DrawingDocument): Html | undefined {
  const lines = linesOf(comparison, cell, "evaluations");
  if (lines.length === 0) return undefined;
  const figure = (
    cost: Cost,
    title: string,
  ) => html`<figure class="chart"><figcaption><strong>${title}</strong></figcaption>
${costChart(comparison, cell, cost, document)}</figure>`;
  return html`<div class="charts wide">${figure("evaluations", "PSNR against gradient evaluations")}${figure("seconds", "PSNR against seconds")}</div>
<ul class="key">${lines.map(({ attack, trials, colour, dash }) => keyItem(`${attack}, ${plural(trials, "trial")}`, colour, dash))}${
    floorOf(cell) !== null && keyItem("highest floor", "var(--floor)", "2 3")
  }</ul>`;
}

/** One chart of a cell as inline SVG; the band is from the lowest to the highest seed. */
export function costChart(comparison: Comparison, cell: Cell, cost: Cost, document: DrawingDocument): Html {
  const lines = linesOf(comparison, cell, cost);
  const ends = lines.map(({ points }) => points.at(-1)!.at);
  const log = cost === "seconds" && Math.max(...ends) / Math.min(...ends) > LOG_SPAN;
  const floor = floorOf(cell);
  const svg = Plot.plot({
    ...SIZE,
    document: document as never, // the DOM's types are not loaded: this layer has no browser
    x: { type: log ? "log" : "linear", label: null, axis: null, ...(log ? {} : { domain: [0, Math.max(...ends)] }) },
    y: { label: null, axis: null, nice: true },
    marks: [
      Plot.gridY({ ticks: 5 }),
      Plot.axisY({ ticks: 5, text: tickText, label: "dB", labelArrow: false }),
      Plot.axisX({
        ticks: log ? powers(lines.flatMap(({ points }) => points.map(({ at }) => at))) : 4,
        text: cost === "evaluations" ? countText : tickText,
        label: cost,
        labelArrow: false,
      }),
      ...(floor === null ? [] : [Plot.ruleY([floor], { stroke: "var(--floor)", strokeDasharray: "2 3" })]),
      ...lines.flatMap(({ points, colour }) => [
        Plot.areaY(points, { x: "at", y1: "low", y2: "high", fill: colour, fillOpacity: 0.14 }),
      ]),
      ...lines.flatMap(({ points, colour, dash }) => [
        Plot.line(points, {
          x: "at",
          y: "psnrDb",
          stroke: colour,
          strokeWidth: 1.75,
          ...(dash !== undefined && { strokeDasharray: dash }),
        }),
        Plot.dot(points.slice(-1), { x: "at", y: "psnrDb", fill: colour, r: 3.5 }),
      ]),
    ],
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", description(lines, cost));
  return raw(svg.outerHTML);
}

export const SIZE = { width: 480, height: 280, marginLeft: 40, marginRight: 16, marginTop: 20, marginBottom: 36 }; // px; our choice: half of the page's width
const LOG_SPAN = 8; // our choice: attacks whose times differ by more than this factor are drawn on a log scale

/** 1, 2 and 5 times powers of ten within the values, or the powers alone where those are many. */
function powers(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const first = Math.floor(Math.log10(low));
  const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, i) => first + i);
  const mantissas = decades.length > 4 ? [1] : decades.length > 3 ? [1, 3] : [1, 2, 5]; // our choice: eight ticks at most
  return decades
    .flatMap((decade) => mantissas.map((mantissa) => Number(`${mantissa}e${decade}`)))
    .filter((tick) => tick >= low && tick <= high);
}

export interface AttackLine {
  readonly attack: string;
  readonly colour: string;
  readonly dash?: string;
  /** Whose mean it is. */
  readonly trials: number;
  readonly points: readonly CurvePoint[];
}

/** The lines of a cell, in the table's order, each of all scored trials of its attack. */
export function linesOf(comparison: Comparison, cell: Cell, cost: Cost): AttackLine[] {
  return cell.lines.flatMap(({ attack }) => {
    const curves = resultsOf(comparison, cell, attack).map(({ curve }) => curve);
    const points = meanCurve(curves, cost);
    return points.length === 0 ? [] : [{ attack, ...strokeOf(comparison, attack), trials: curves.length, points }];
  });
}

/** The mean of the highest floors, where all attacks have the same. */
export function floorOf({ lines }: Cell): number | null {
  const floors = lines.flatMap(({ floorDb }) => (floorDb === null ? [] : [floorDb]));
  const [first] = floors;
  if (first === undefined) return null;
  return floors.every((floor) => Math.abs(floor - first) < SAME_DB) ? first : null;
}

const SAME_DB = 0.005; // under the last printed digit

function keyItem(name: string, colour: string, dash: string | undefined): Html {
  return html`<li><svg width="26" height="8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke="${colour}" stroke-width="2.5"${dash !== undefined && html` stroke-dasharray="${dash}"`}></line></svg>${name}</li>`;
}

function description(lines: readonly AttackLine[], cost: Cost): string {
  const ends = lines.map(
    ({ attack, points }) => `${attack} ${points.at(-1)!.psnrDb.toFixed(2)} dB after ${tickText(points.at(-1)!.at)}`,
  );
  return `PSNR against ${cost}: ${ends.join(", ")} ${cost}`;
}
