import type { ConvergencePart, ConvergencePoint, Steepness, VariantName, VariantTrace } from "../../audit/index.ts";
import { compactText, countText, percentText } from "../format.ts";
import { type Html, html, raw } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import type { Sample } from "../thin.ts";
import { chart, type Series, scaleFor } from "./chart.ts";
import type { Finding } from "./findings.ts";
import { descended, summaryOf, VARIANT_TITLES } from "./summary.ts";

/** How each variant is drawn. */
const LOOKS: Readonly<Record<VariantName, { readonly stroke: string; readonly dash?: string }>> = {
  neither: { stroke: "var(--neither)", dash: "2 3" },
  "partial-matching": { stroke: "var(--partial)", dash: "7 3" },
  regularisation: { stroke: "var(--regular)", dash: "9 3 2 3" },
  both: { stroke: "var(--both)" },
};

const CHARTS: readonly (readonly [title: string, note: string, of: (point: ConvergencePoint) => number | null])[] = [
  ["μ/L", "half the largest safe step of plain descent", of("ratio")],
  [
    "cos(x′−x, D)",
    "1: descent goes straight to the private images; does not depend on the loss's scale",
    of("alignment"),
  ],
  ["‖x′−x‖ a pixel", "root mean square distance to the private images", (point) => point.rms],
  ["μ", "below 0 the gradient leads away", of("mu")],
  ["L", "squared gradient over squared distance", of("l")],
];

/** μ, L and what follows from them along the four runs: Figures 1c and 1d. */
export function convergenceSection(part: ConvergencePart, finding: Finding, document: DrawingDocument): Html {
  const drawn = part.variants.filter(({ points }) => points.length > 1);
  return html`<section aria-labelledby="convergence">
<h2 id="convergence">Does the gradient lead to the private images?</h2>
<p class="finding">${finding.sentence} ${finding.more}</p>
<p>As in the paper's Figures 1c and 1d, along ${countText(part.iterations)} iterations, measured every ${countText(part.every)}, in ${part.variants.length} runs: with each of FedLeak's two techniques on and off.</p>
<ul class="formulas">
<li>μ = ⟨x′−x, D⟩ / ‖x′−x‖² and L = ‖D‖² / ‖x′−x‖²: Equations 4 to 6, taken as equalities at each point.</li>
<li>A step −ηD changes ‖x′−x‖² by the factor 1 − 2ημ + η²L. It comes closer for 0 &lt; η &lt; 2μ/L; at best, η = μ/L, by the factor 1 − μ²/L.</li>
<li>A negative ⟨x′−x, D⟩, and with it μ, means that the gradient leads away from the private images, whatever the step.</li>
<li>μ/L falls when the loss is multiplied, so it compares variants of different losses only loosely; μ²/L = cos²(x′−x, D) does not.</li>
<li>With gradient regularisation D is the blend (1−γ)·D(x′) + γ·D(x̃) that the run descends.</li>
${part.notes.map((note) => html`<li>${note}</li>`)}
</ul>
${
  drawn.length > 0 &&
  html`<ul class="key">${drawn.map((variant) => html`<li>${swatch(variant)}${VARIANT_TITLES[variant.name]}${variant.asSet && html`, <strong>as set</strong>`}</li>`)}</ul>
<div class="charts">${CHARTS.map(([title, note, value]) => figure({ title, note, value }, drawn, document))}</div>`
}
${part.variants.length > 0 && summaryTable(part.variants)}
</section>`;
}

function of(name: keyof Steepness): (point: ConvergencePoint) => number | null {
  return (point) => descended(point)[name];
}

function figure(
  { title, note, value }: { title: string; note: string; value: (point: ConvergencePoint) => number | null },
  variants: readonly VariantTrace[],
  document: DrawingDocument,
): Html | undefined {
  const series = variants.map(({ name, points }): Series => {
    const { stroke, dash } = LOOKS[name];
    const samples = points.flatMap((point): Sample[] => {
      const y = value(point);
      return y === null ? [] : [{ x: point.iteration, y }];
    });
    return { samples, stroke, ...(dash !== undefined && { dash }) };
  });
  const values = series.flatMap(({ samples }) => samples.map(({ y }) => y));
  if (values.length === 0) return undefined;
  const scale = scaleFor(values);
  const ends = variants.map(({ name }, i) => `${name} ${compactText(series[i]!.samples.at(-1)?.y ?? Number.NaN)}`);
  return html`<figure class="chart"><figcaption><strong>${title}${scale.kind !== "linear" && ", log scale"}</strong><span>${note}</span></figcaption>
${chart(document, {
  series,
  x: { label: "iteration", scale: { kind: "linear" }, count: true },
  y: { scale },
  description: `${title} over the iterations; at the end: ${ends.join(", ")}`,
})}</figure>`;
}

function summaryTable(variants: readonly VariantTrace[]): Html {
  const text = (value: number | null, write: (value: number) => string = compactText) =>
    html`<td class="number">${value === null ? "–" : write(value)}</td>`;
  return html`<div class="scroll" tabindex="0" role="region" aria-label="medians"><table>
<thead><tr><th scope="col">Medians over the run</th><th scope="col" class="number">μ</th><th scope="col" class="number">L</th><th scope="col" class="number">μ/L</th><th scope="col" class="number">spread of μ/L</th><th scope="col" class="number">cos</th><th scope="col" class="number">μ &lt; 0</th><th scope="col" class="number">last ‖x′−x‖</th></tr></thead>
<tbody>${variants.map((variant) => {
    const { mu, l, ratio, spread, alignment, away, lastRms } = summaryOf(variant);
    const { maskRatio, maskScope, gamma, lookahead, failure, status } = variant;
    return html`<tr><th scope="row">${VARIANT_TITLES[variant.name]}<small>ρ ${maskRatio}${maskRatio < 1 && ` ${maskScope}`}, γ ${gamma}${gamma > 0 && ` ${lookahead}`}${variant.asSet && ", as set"}${failure ? `; failed: ${failure}` : status === "interrupted" && "; interrupted"}</small></th>
${text(mu)}${text(l)}${text(ratio)}${text(spread)}${text(alignment, (v) => v.toFixed(3).replace("-", "−"))}${text(away, percentText)}${text(lastRms)}</tr>`;
  })}</tbody></table></div>
<p><small>Spread: the distance between the quartiles of μ/L over the size of its median. μ &lt; 0: the share of the points.</small></p>`;
}

function swatch({ name }: VariantTrace): Html {
  const { stroke, dash } = LOOKS[name];
  return raw(
    `<svg viewBox="0 0 32 10" aria-hidden="true"><line x1="0" y1="5" x2="32" y2="5" stroke="${stroke}" stroke-width="2"${dash === undefined ? "" : ` stroke-dasharray="${dash}"`}/></svg>`,
  );
}
