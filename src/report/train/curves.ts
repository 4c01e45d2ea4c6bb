import type { TrainRecord } from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type DrawingDocument, lineChart } from "../line-chart.ts";
import type { Sample } from "../thin.ts";

/** Accuracy and loss along a training; nothing before there are two points to join. */
export function trainCurves({ curve, unit }: TrainRecord, document: DrawingDocument): Html | undefined {
  const samplesOf = (value: (point: TrainRecord["curve"][number]) => number | undefined) =>
    curve.flatMap((point): Sample[] => {
      const y = value(point);
      return y === undefined ? [] : [{ x: point.done, y }];
    });
  const curves = [
    { title: "Accuracy", note: "on the public split", samples: samplesOf((p) => p.accuracy), text: percentText },
    {
      title: "Accuracy while training",
      note: `on the images of the ${unit}, before it`,
      samples: samplesOf((p) => p.trainAccuracy),
      text: percentText,
    },
    {
      title: "Loss",
      note: "mean cross-entropy on the public split",
      samples: samplesOf((p) => p.publicLoss),
      text: compactText,
    },
    {
      title: "Loss while training",
      note: `mean cross-entropy of the images of the ${unit}`,
      samples: samplesOf((p) => p.loss),
      text: compactText,
    },
    {
      title: "Learning rate",
      note: "after the schedule",
      samples: samplesOf((p) => p.learningRate),
      text: compactText,
    },
  ].filter(({ samples }) => samples.length > 1);
  if (curves.length === 0) return undefined;
  return html`<section aria-labelledby="curves">
<h2 id="curves">Along the training</h2>
<div class="charts">${curves.map(({ title, note, samples, text }) => {
    const [first, last] = [samples[0]!, samples.at(-1)!];
    const summary = `${text(first.y)} → ${text(last.y)}, ${unit}s ${countText(first.x)} to ${countText(last.x)}`;
    return html`<figure class="chart"><figcaption><strong>${title}</strong><span>${note}</span></figcaption>
${lineChart(document, { samples, log: false, unit, description: `${title}: ${summary}` })}
<p>${summary}</p></figure>`;
  })}</div>
</section>`;
}
