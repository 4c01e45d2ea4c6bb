import * as Plot from "@observablehq/plot";
import { plural } from "../format.ts";
import { type Html, html, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";

export interface PartitionPicture {
  /** Images of each class (columns) of each client (rows). */
  readonly counts: readonly (readonly number[])[];
  readonly classNames: readonly string[];
}

/** Who has what: one bar a client, in it one stretch a class, as inline SVG with a legend of the classes. */
export function partitionPicture(document: DrawingDocument, { counts, classNames }: PartitionPicture): Html {
  const cells = counts.flatMap((row, client) =>
    row.flatMap((images, label) => (images > 0 ? [{ client, images, label }] : [])),
  );
  const colour = (label: number) => colourOf(label, classNames.length);
  const svg = Plot.plot({
    ...SIZE,
    document: document as never, // the DOM's types are not loaded: this layer has no browser
    x: {
      label: "client",
      labelAnchor: "right",
      labelArrow: false,
      ticks: ticksOf(counts.length),
      type: "band",
      padding: 0.08,
    },
    y: { label: "images", labelArrow: false, ticks: 5, grid: true },
    marks: [
      Plot.barY(cells, { x: "client", y: "images", fill: ({ label }: { readonly label: number }) => colour(label) }),
      Plot.ruleY([0]),
    ],
    color: { type: "identity" },
  }) as unknown as { setAttribute(name: string, value: string): void; readonly outerHTML: string };
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", describe(counts));
  const shown = classNames.slice(0, LEGEND);
  return html`<figure class="chart">
${raw(svg.outerHTML)}
<figcaption>${shown.map(
    (name, label) => html`<span class="class"><i style="background:${colour(label)}"></i>${name}</span> `,
  )}${classNames.length > LEGEND && `and ${classNames.length - LEGEND} more classes`}</figcaption>
<p>${describe(counts)}</p></figure>`;
}

const SIZE = { width: 1040, height: 300, marginLeft: 52, marginRight: 12, marginTop: 20, marginBottom: 36 }; // px; our choice: the page's width
const LEGEND = 24; // classes named at most; our choice
const TICKS = 20; // clients named on the axis at most; our choice

function ticksOf(clients: number): number[] {
  const every = Math.ceil(clients / TICKS);
  return Array.from({ length: clients }, (_, i) => i).filter((i) => i % every === 0);
}

/** Colours around the wheel, neighbours in lightness apart, so that they are told apart without their hue too. */
function colourOf(label: number, classes: number): string {
  return `hsl(${Math.round((label * 360) / classes)} 55% ${[42, 58, 72][label % 3]}%)`;
}

function describe(counts: readonly (readonly number[])[]): string {
  const sizes = counts.map((row) => row.reduce((a, b) => a + b, 0));
  const kinds = counts.map((row) => row.filter((n) => n > 0).length);
  const range = (values: readonly number[]) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low === high ? `${low}` : `${low} to ${high}`;
  };
  return `${plural(counts.length, "client")}, each with ${range(sizes)} images of ${range(kinds)} classes`;
}
