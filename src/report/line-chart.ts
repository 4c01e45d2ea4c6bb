import * as Plot from "@observablehq/plot";
import { countText, tickText } from "./format.ts";
import { type Html, raw } from "./html.ts";
import { type Sample, thin } from "./thin.ts";

/** What a chart needs of a DOM: a browser's `document`, or one made without a browser. */
export interface DrawingDocument {
  readonly documentElement: object;
}

export interface LineChart {
  readonly samples: readonly Sample[];
  /** The whole chart in one sentence, for those who do not see it. */
  readonly description: string;
  readonly log: boolean;
  /** What is counted along x; iterations when not given. */
  readonly unit?: string;
  /** A horizontal line to compare with. */
  readonly reference?: { readonly name: string; readonly value: number };
}

const SIZE = { width: 320, height: 200, marginLeft: 44, marginRight: 20, marginTop: 12, marginBottom: 36 }; // px; our choice: about the size it is shown at
const MAX_SAMPLES = 400; // our choice: about one a pixel of the drawing

/** A curve over the iterations as inline SVG, in the colours of the page around it. */
export function lineChart(
  document: DrawingDocument,
  { samples, description, log, reference, unit = "iteration" }: LineChart,
): Html {
  const drawn = thin(samples, MAX_SAMPLES);
  const ticks = log ? logTicks(drawn.map((sample) => sample.y)) : 5;
  const svg = Plot.plot({
    ...SIZE,
    document: document as never, // the DOM's types are not loaded: this layer has no browser
    x: { label: unit, labelAnchor: "right", labelArrow: false, ticks: 4, tickFormat: countText },
    y: { type: log ? "log" : "linear", label: null, axis: null },
    marks: [
      Plot.gridY({ ticks }),
      Plot.axisY({ ticks, text: tickText }),
      ...(reference
        ? [
            Plot.ruleY([reference.value], { stroke: "var(--floor)", strokeDasharray: "4 3" }),
            Plot.text([reference.value], {
              y: (value: number) => value,
              text: () => reference.name,
              frameAnchor: "right",
              dy: -7, // px above the line
              fill: "var(--muted)",
            }),
          ]
        : []),
      Plot.line(drawn, { x: "x", y: "y", stroke: "var(--result)", strokeWidth: 1.75 }),
      Plot.dot(drawn.slice(-1), { x: "x", y: "y", fill: "var(--result)", r: 3.5 }),
    ],
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", description);
  return raw(svg.outerHTML);
}

/** Powers of ten within the values and, where they are fewer than three, the 2 and 5 between them. */
function logTicks(values: readonly number[]): number[] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const decades = Array.from(
    { length: Math.ceil(Math.log10(high / low)) + 2 },
    (_, i) => Math.floor(Math.log10(low)) + i,
  );
  const within = (mantissas: readonly number[]) =>
    decades
      .flatMap((decade) => mantissas.map((mantissa) => Number(`${mantissa}e${decade}`)))
      .filter((tick) => tick >= low && tick <= high);
  const powers = within([1]);
  return powers.length >= 3 ? powers : within([1, 2, 5]);
}
