import type { RunRecord } from "../audit/index.ts";
import { highestFloor } from "./floor-list.ts";
import { compactText, countText, dbText } from "./format.ts";
import { type Html, html } from "./html.ts";
import { type DrawingDocument, lineChart } from "./line-chart.ts";
import type { Sample } from "./thin.ts";

/** Loss, distance of the gradients and, where it was peeked at, PSNR over the iterations; nothing without a curve. */
export function curvesSection({ curve, results }: RunRecord, document: DrawingDocument): Html | undefined {
  const floor = results && highestFloor(results.floors);
  const curves: readonly Curve[] = [
    {
      title: "Loss",
      note: "the attack's own objective",
      samples: curve.map(({ iteration, loss }) => ({ x: iteration, y: loss })),
      text: compactText,
    },
    {
      title: "1 − cosine",
      note: "between candidate's and observed gradient",
      samples: curve.flatMap(({ iteration, cosine }) =>
        cosine === undefined ? [] : [{ x: iteration, y: Math.max(0, 1 - cosine) }],
      ),
      text: compactText,
    },
    {
      title: "PSNR, peeked at",
      note: "for the reader only: the attack never sees it",
      samples: curve.flatMap(({ iteration, peekPsnrDb }) =>
        peekPsnrDb === undefined ? [] : [{ x: iteration, y: peekPsnrDb }],
      ),
      text: dbText,
      ...(floor && { reference: { name: `${floor.name} ${dbText(floor.psnrDb)}`, value: floor.psnrDb } }),
    },
  ];
  const drawable = curves.filter(({ samples }) => samples.length > 1);
  if (drawable.length === 0) return undefined;
  return html`<section aria-labelledby="curves">
<h2 id="curves">Along the run</h2>
<div class="charts">${drawable.map((drawn) => figure(drawn, document))}</div>
</section>`;
}

interface Curve {
  readonly title: string;
  readonly note: string;
  readonly samples: readonly Sample[];
  readonly text: (value: number) => string;
  readonly reference?: { readonly name: string; readonly value: number };
}

const LOG_SPAN = 20; // our choice: a curve whose values span more than this factor is drawn on a log scale

function figure({ title, note, samples, text, reference }: Curve, document: DrawingDocument): Html {
  const [first, last] = [samples[0]!, samples.at(-1)!];
  const values = samples.map((sample) => sample.y);
  const lowest = values.reduce((a, b) => Math.min(a, b));
  const highest = values.reduce((a, b) => Math.max(a, b));
  const log = lowest > 0 && highest / lowest > LOG_SPAN;
  const summary = `${text(first.y)} → ${text(last.y)}, iterations ${countText(first.x)} to ${countText(last.x)}`;
  return html`<figure class="chart"><figcaption><strong>${title}${log && ", log scale"}</strong><span>${note}</span></figcaption>
${lineChart(document, { samples, log, description: `${title}: ${summary}`, ...(reference && { reference }) })}
<p>${summary}</p></figure>`;
}
