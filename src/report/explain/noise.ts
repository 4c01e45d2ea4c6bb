import type { NoiseLevel, NoisePart } from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { chart, type Series } from "./chart.ts";
import { mean } from "./summary.ts";

const DISTANCES = [
  ["l2", "‖g′−g‖₂", "the distance of dlg, there squared"],
  ["cosine", "1 − cos(g′, g)", "the distance of inverting-gradients"],
  ["l1Cosine", "mean|g′−g| + 1 − cos", "FedLeak’s distance, without its priors"],
] as const;

/** How the gradient moves with noise on the images: Figure 1b. */
export function noiseSection(part: NoisePart, finding: string, document: DrawingDocument): Html {
  const { draws, maskRatio, gradientNorm } = part;
  return html`<section aria-labelledby="noise">
<h2 id="noise">How near is a near gradient?</h2>
<p class="finding">${finding}</p>
<p>As in the paper’s Figure 1b: the distance between the gradient of the private batch and that of the batch with noise s·sign(n), n ~ N(0,1) a pixel, over the strength s; mean of ${countText(draws)} draws, the band from the least to the greatest. The gradient is the client’s own, before any defence (length ${compactText(gradientNorm)}); the noisy images are not clamped. The paper averages 100 images and 100 draws.</p>
${
  draws > 0 &&
  html`<ul class="key"><li><strong style="color:var(--both)">——</strong>all entries</li><li><strong style="color:var(--partial)">– –</strong>the ${percentText(maskRatio)} of largest magnitude in g′</li></ul>
<div class="charts">${DISTANCES.map(([name, title, note]) => figure(part, { name, title, note }, document))}</div>`
}
</section>`;
}

type DistanceName = (typeof DISTANCES)[number][0];

function figure(
  { full, partial }: NoisePart,
  { name, title, note }: { readonly name: DistanceName; readonly title: string; readonly note: string },
  document: DrawingDocument,
): Html | undefined {
  const series = [
    { ...seriesOf(full, name), stroke: "var(--both)" },
    { ...seriesOf(partial, name), stroke: "var(--partial)", dash: "7 3" },
  ];
  const last = series[0]!.samples.at(-1);
  if (last === undefined) return undefined;
  return html`<figure class="chart"><figcaption><strong>${title}, log scales</strong><span>${note}</span></figcaption>
${chart(document, {
  series,
  x: { label: "strength of the noise", scale: { kind: "log" } },
  y: { scale: { kind: "log" } },
  description: `${title} over the strength of the noise, rising to ${compactText(last.y)} at strength ${compactText(last.x)}`,
})}</figure>`;
}

/** Mean and band; values of 0, as at strength 0, have no place on a log scale. */
function seriesOf(levels: readonly NoiseLevel[], name: DistanceName): Pick<Series, "samples" | "band"> & object {
  const shown = levels
    .map((level) => ({ x: level.strength, values: level[name] }))
    .filter(({ x, values }) => x > 0 && values.length > 0 && values.every((v) => v > 0));
  return {
    samples: shown.map(({ x, values }) => ({ x, y: mean(values) })),
    band: shown.map(({ x, values }) => ({ x, low: Math.min(...values), high: Math.max(...values) })),
  };
}
