import * as Plot from "@observablehq/plot";
import { countText, tickText } from "../format.ts";
import { type Html, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import type { Sample } from "../thin.ts";

/** How values are laid along an axis. `symlog`: a log scale on both sides of zero, straight between −`unit` and `unit`. */
export type Scale =
  | { readonly kind: "linear" }
  | { readonly kind: "log" }
  | { readonly kind: "symlog"; readonly unit: number };

/** One line of a chart, with a band around it where there is one. */
export interface Series {
  readonly samples: readonly Sample[];
  readonly band?: readonly { readonly x: number; readonly low: number; readonly high: number }[];
  /** A colour of the page. */
  readonly stroke: string;
  /** SVG's dash pattern, so that lines differ without colour too. */
  readonly dash?: string;
  readonly dots?: boolean;
}

export interface Chart {
  readonly series: readonly Series[];
  /** Points without a line. */
  readonly points?: readonly Sample[];
  readonly x: { readonly label: string; readonly scale: Scale; readonly count?: boolean };
  readonly y: { readonly label?: string; readonly scale: Scale };
  /** The whole chart in one sentence, for those who do not see it. */
  readonly description: string;
}

const SIZE = { width: 330, height: 220, marginLeft: 50, marginRight: 16, marginTop: 14, marginBottom: 36 }; // px; our choice: about the size it is shown at

/** Lines, bands and points as inline SVG in the colours of the page around it. */
export function chart(document: DrawingDocument, { series, points = [], x, y, description }: Chart): Html {
  const xs = [...series.flatMap(({ samples }) => samples), ...points].map((sample) => sample.x);
  const ys = [
    ...[...series.flatMap(({ samples }) => samples), ...points].map((sample) => sample.y),
    ...series.flatMap(({ band = [] }) => band.flatMap(({ low, high }) => [low, high])),
  ];
  const [xTicks, yTicks] = [ticksOf(x.scale, xs), ticksOf(y.scale, ys)];
  const svg = Plot.plot({
    ...SIZE,
    document: document as never, // the DOM's types are not loaded: this layer has no browser
    x: { ...axis(x.scale), label: null, axis: null },
    y: { ...axis(y.scale), label: null, axis: null },
    marks: [
      Plot.gridY({ ticks: yTicks }),
      Plot.axisX({
        ticks: xTicks,
        text: (value: number) => (x.count ? countText(value) : tickText(value)),
        label: x.label,
        labelAnchor: "right",
        labelArrow: false,
      }),
      Plot.axisY({ ticks: yTicks, text: tickText, label: y.label ?? null, labelArrow: false }),
      ...(ys.some((v) => v < 0) ? [Plot.ruleY([0], { stroke: "var(--muted)", strokeWidth: 1 })] : []),
      ...series.flatMap(({ samples, band, stroke, dash, dots }) => [
        ...(band ? [Plot.areaY(band, { x: "x", y1: "low", y2: "high", fill: stroke, fillOpacity: 0.18 })] : []),
        Plot.line(samples, {
          x: "x",
          y: "y",
          stroke,
          strokeWidth: 1.75,
          ...(dash !== undefined && { strokeDasharray: dash }),
        }),
        ...(dots ? [Plot.dot(samples, { x: "x", y: "y", fill: stroke, r: 2.5 })] : []),
      ]),
      ...(points.length > 0
        ? [Plot.dot(points, { x: "x", y: "y", fill: "var(--result)", fillOpacity: 0.45, r: 2.5 })]
        : []),
    ],
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", description);
  return raw(svg.outerHTML);
}

const LOG_SPAN = 20; // our choice: values that span more than this factor are drawn on a log scale

/** The scale on which these values can be told apart. */
export function scaleFor(values: readonly number[]): Scale {
  const sizes = values.map(Math.abs).filter((v) => v > 0);
  if (sizes.length === 0) return { kind: "linear" };
  const sorted = sizes.toSorted((a, b) => a - b);
  if (sorted.at(-1)! / sorted[0]! <= LOG_SPAN) return { kind: "linear" };
  if (values.every((v) => v > 0)) return { kind: "log" };
  const [middle, top] = [sorted[Math.floor(sorted.length / 2)]!, sorted.at(-1)!];
  return top / middle > LOG_SPAN ? { kind: "symlog", unit: 10 ** Math.floor(Math.log10(middle)) } : { kind: "linear" };
}

function axis(scale: Scale) {
  return scale.kind === "symlog" ? ({ type: "symlog", constant: scale.unit } as const) : { type: scale.kind };
}

const FEW = 5; // ticks that fit beside each other

function ticksOf(scale: Scale, values: readonly number[]): number | number[] {
  if (scale.kind === "linear") return FEW;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (scale.kind === "log") return logTicks(low, high);
  const { unit } = scale;
  const side = (reach: number) => (reach > unit ? logTicks(unit, reach) : []);
  return [...side(-low).map((v) => -v), 0, ...side(high)];
}

/** Powers of ten within the bounds, every second or third where they are many; where there are fewer than two, also the 2 and 5. */
function logTicks(low: number, high: number): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const decades = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const within = (mantissas: readonly number[]) =>
    decades
      .flatMap((decade) => mantissas.map((mantissa) => Number(`${mantissa}e${decade}`)))
      .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001);
  const powers = within([1]);
  if (powers.length < 2) return within([1, 2, 5]);
  const stride = Math.ceil(powers.length / (FEW + 1));
  return powers.filter((_, i) => i % stride === 0);
}
