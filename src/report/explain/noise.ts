import type { ConvergencePart, NoiseLevel, NoisePart, Parts } from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { chart, type Series } from "./chart.ts";
import { equivalentNoise } from "./equivalent-noise.ts";
import type { Finding } from "./findings.ts";
import { mean, VARIANT_TITLES } from "./summary.ts";

const DISTANCES = [
  ["l2", "‖g′−g‖₂", "the distance of dlg, there squared"],
  ["cosine", "1 − cos(g′, g)", "the distance of inverting-gradients"],
  ["l1Cosine", "mean|g′−g| + 1 − cos", "FedLeak's distance, without its priors"],
] as const;

/** How the gradient moves with noise on the images: Figure 1b. */
export function noiseSection({ noise, convergence }: Parts, finding: Finding, document: DrawingDocument): Html {
  const part = noise!;
  const { draws, maskRatio, gradientNorm } = part;
  return html`<section aria-labelledby="noise">
<h2 id="noise">How near is a near gradient?</h2>
<p class="finding">${finding.sentence} ${finding.more}</p>
<p>As in the paper's Figure 1b: the distance between the gradient of the private batch and that of the batch with noise s·sign(n), n ~ N(0,1) a pixel, over the strength s; mean of ${countText(draws)} draws, the band from the least to the greatest. The gradient is the client's own, before any defence (length ${compactText(gradientNorm)}); the noisy images are not clamped. The paper averages 100 images and 100 draws.</p>
${
  draws > 0 &&
  html`<ul class="key"><li><strong style="color:var(--both)">——</strong>all entries</li><li><strong style="color:var(--partial)">– –</strong>the ${percentText(maskRatio)} of largest magnitude in g′</li></ul>
<div class="charts">${DISTANCES.map(([name, title, note]) => figure(part, { name, title, note }, document))}</div>`
}
${convergence && draws > 0 && endTable(part, convergence)}
</section>`;
}

/** Where the runs of the first part ended, read off the curve: the paper's argument that they had not converged. */
function endTable(part: NoisePart, { variants }: ConvergencePart): Html | undefined {
  const ended = variants.filter(({ end }) => end !== null);
  if (ended.length === 0) return undefined;
  const rows = ended.map(({ name, end, points }) => {
    const strength = equivalentNoise(part, end!.cosine);
    const text = strength === null ? "more than any here" : strength === 0 ? "less than 0.001" : compactText(strength);
    return html`<tr><th scope="row">${VARIANT_TITLES[name]}</th><td class="number">${compactText(end!.cosine)}</td><td class="number">${text}</td><td class="number">${compactText(points.at(-1)!.rms)}</td></tr>`;
  });
  return html`<div class="scroll four" tabindex="0" role="region" aria-label="where the runs ended"><table>
<thead><tr><th scope="col">Where the runs ended</th><th scope="col" class="number">1 − cos to the observed update</th><th scope="col" class="number">noise that moves it as far</th><th scope="col" class="number">their distance, ‖x′−x‖ a pixel</th></tr></thead>
<tbody>${rows}</tbody></table></div>
<p><small>If a run's gradient is no nearer than strong noise leaves it, the match is not solved, however small the number looks. If its images are farther away than noise of the same gradient distance, the gradient says little about what they lack. Where the update was defended, part of the distance is the defence's.</small></p>`;
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
