import * as Plot from "@observablehq/plot";
import type { Tradeoff, TradeoffLine } from "../../audit/index.ts";
import { percentText, tickText } from "../format.ts";
import { type Html, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { dodged } from "./labels.ts";
import { defencesOf, type Panel, worstOf } from "./lines.ts";

/** A point of the chart: a setting with its accuracy and what leaked to its worst attacker. */
interface Point {
  readonly cell: string;
  readonly defence: string;
  readonly label: string;
  readonly x: number;
  readonly x1: number;
  readonly x2: number;
  readonly y: number;
  readonly y1: number;
  readonly y2: number;
  readonly colour: string;
}

/**
 * Accuracy against PSNR of one panel as inline SVG: a dot for each setting with both 95 % intervals, a line through the
 * strengths of a defence, hollow dots for the attackers that came less far, and the floors as a band. Nothing while nothing is scored.
 */
export function tradeoffChart(tradeoff: Tradeoff, panel: Panel, document: DrawingDocument): Html | undefined {
  const points = pointsOf(tradeoff, panel);
  if (points.length === 0) return undefined;
  const others = panel.lines.flatMap((line) => otherAttackers(tradeoff, line));
  const ranges = panel.lines.flatMap(({ floorRangeDb }) => (floorRangeDb === null ? [] : [floorRangeDb]));
  const floor = { low: Math.min(...ranges.map(([low]) => low)), high: Math.max(...ranges.map(([, high]) => high)) };
  const x = domainOf([...points.flatMap(({ x1, x2 }) => [x1, x2])], 0.05, [0, 1]);
  const y = domainOf(
    [...points.flatMap(({ y1, y2 }) => [y1, y2]), ...others.map((o) => o.y), floor.low, floor.high],
    1,
    [0, 100],
  );
  const chance = panel.lines.find(({ accuracyFloor }) => accuracyFloor !== null)?.accuracyFloor ?? null;
  const rows = defencesOf(tradeoff).map((defence) => points.filter((point) => point.defence === defence));
  const moves = dodged(
    points.map((point) => ({
      x: along(point.x, x, [CHART_SIZE.marginLeft, CHART_SIZE.width - CHART_SIZE.marginRight]),
      y: LABEL_UP + along(point.y, y, [CHART_SIZE.height - CHART_SIZE.marginBottom, CHART_SIZE.marginTop]),
      text: point.label,
    })),
    [CHART_SIZE.marginTop / 2, CHART_SIZE.height - CHART_SIZE.marginBottom],
  );
  const svg = Plot.plot({
    ...CHART_SIZE,
    document: document as never, // the DOM's types are not loaded: this layer has no browser
    x: { domain: x, label: null, axis: null },
    y: { domain: y, label: null, axis: null },
    marks: [
      Plot.gridY({ ticks: 5 }),
      Plot.axisY({ ticks: 5, text: tickText, label: "PSNR, dB", labelArrow: false }),
      Plot.axisX({ ticks: 5, text: percentText, label: "accuracy", labelArrow: false }),
      Plot.rect([floor], { x1: x[0], x2: x[1], y1: "low", y2: "high", fill: "var(--floor)", fillOpacity: 0.22 }),
      Plot.ruleY([floor.high], { stroke: "var(--floor)", strokeDasharray: "2 3" }),
      ...(chance !== null && chance >= x[0] && chance <= x[1]
        ? [Plot.ruleX([chance], { stroke: "var(--floor)", strokeDasharray: "2 3" })]
        : []),
      ...rows
        .filter((row) => row.length > 1)
        .map((row) =>
          Plot.line(row, { x: "x", y: "y", stroke: row[0]!.colour, strokeWidth: 1.25, strokeOpacity: 0.6 }),
        ),
      ...points.flatMap((point) => [
        Plot.ruleX([point], { x: "x", y1: "y1", y2: "y2", stroke: point.colour, strokeOpacity: 0.7 }),
        Plot.ruleY([point], { y: "y", x1: "x1", x2: "x2", stroke: point.colour, strokeOpacity: 0.7 }),
      ]),
      ...others.map((other) =>
        Plot.dot([other], { x: "x", y: "y", stroke: other.colour, fill: "var(--plot-background)", r: 3 }),
      ),
      ...points.map((point) => Plot.dot([point], { x: "x", y: "y", fill: point.colour, r: 4.5 })),
      ...points.map((point, i) => {
        const dy = LABEL_UP + moves[i]!;
        return Plot.text([point], {
          x: "x",
          y: "y",
          text: "label",
          dx: 7,
          dy,
          textAnchor: "start",
          fill: "var(--muted)",
        });
      }),
    ],
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `${panel.title}: ${points.map(inWords).join("; ")}`);
  return raw(svg.outerHTML);
}

export const CHART_SIZE = {
  width: 640,
  height: 400,
  marginLeft: 44,
  marginRight: 150,
  marginTop: 24,
  marginBottom: 40,
}; // px; our choice: room for labels

/** The colour of a defence on the page, by its place in the plan; none is ink. */
export function colourOf(tradeoff: Pick<Tradeoff, "plan">, defence: string): string {
  if (defence === "none") return "var(--ink)";
  const place = defencesOf(tradeoff)
    .filter((name) => name !== "none")
    .indexOf(defence);
  return `var(--attack-${place % COLOURS})`;
}

const COLOURS = 8; // as many as a comparison's page tells apart

const LABEL_UP = -8; // px: over the intervals' rules

/** Where a value lies in pixels, as the chart's linear scales have it. */
function along(value: number, [from, to]: readonly [number, number], [low, high]: readonly [number, number]): number {
  return low + ((value - from) / (to - from)) * (high - low);
}

/** What a point is called: `quantise strong`, or the cell's own name. */
function labelOf({ cell, defence, strength }: TradeoffLine): string {
  return defence === "none" ? "none" : strength === null ? cell : `${defence} ${strength}`;
}

function pointsOf(tradeoff: Tradeoff, { lines }: Panel): Point[] {
  return lines.flatMap((line) => {
    const worst = worstOf(line);
    if (worst === undefined || line.accuracy === null) return [];
    const [x1, x2] = line.accuracyInterval95 ?? [line.accuracy, line.accuracy];
    const [y1, y2] = worst.interval95Db ?? [worst.psnrDb, worst.psnrDb];
    return {
      ...{ cell: line.cell, defence: line.defence, label: labelOf(line), colour: colourOf(tradeoff, line.defence) },
      ...{ x: line.accuracy, x1, x2, y: worst.psnrDb, y1, y2 },
    };
  });
}

function otherAttackers(tradeoff: Tradeoff, line: TradeoffLine): { x: number; y: number; colour: string }[] {
  if (line.accuracy === null) return [];
  const x = line.accuracy;
  return line.attackers
    .slice(1)
    .flatMap(({ psnrDb }) => (psnrDb === null ? [] : [{ x, y: psnrDb, colour: colourOf(tradeoff, line.defence) }]));
}

/** The values' range with some air, within what is possible. */
function domainOf(values: readonly number[], air: number, [least, most]: readonly [number, number]): [number, number] {
  return [Math.max(least, Math.min(...values) - air), Math.min(most, Math.max(...values) + air)];
}

function inWords({ cell, x, y }: Point): string {
  return `${cell} ${percentText(x)} accuracy, ${y.toFixed(2)} dB`;
}
