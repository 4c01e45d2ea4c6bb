import type { DampingPart } from "../../audit/index.ts";
import { compactText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { chart, type Series } from "./chart.ts";
import type { Finding } from "./findings.ts";

/** The two-point example of why a share of the gradient ahead damps: Figure 10. */
export function dampingSection({ paths }: DampingPart, finding: Finding, document: DrawingDocument): Html {
  const gammas = [...new Set(paths.map(({ gamma }) => gamma))];
  return html`<section aria-labelledby="damping">
<h2 id="damping">Why a look ahead damps</h2>
<p class="finding">${finding.sentence} ${finding.more}</p>
<p>As in the paper's Figure 10, computed: f(x) = x² from x = 0.5, with x ← x − η·[(1−γ)·f′(x) + γ·f′(x − η·f′(x))]. It does not depend on the setting. The text at hand has lost the function and the start; this one has the gradients 1, −1 and 0.7 − 0.3 = 0.4 that are left.</p>
<ul class="key"><li><strong style="color:var(--both)">——</strong>step size 1</li><li><strong style="color:var(--regular)">– –</strong>step size 0.9</li></ul>
<div class="charts">${gammas.map((gamma) => figure(gamma, paths, document))}</div>
</section>`;
}

const CURVE = Array.from({ length: 49 }, (_, i) => (i - 24) / 40).map((x) => ({ x, y: x * x })); // −0.6 … 0.6

function figure(gamma: number, paths: DampingPart["paths"], document: DrawingDocument): Html {
  const own = paths.filter((path) => path.gamma === gamma);
  const walks = own.map(({ stepSize, points }): Series => {
    const samples = points.map((x) => ({ x, y: x * x }));
    return stepSize === 1
      ? { samples, stroke: "var(--both)", dots: true }
      : { samples, stroke: "var(--regular)", dash: "4 3", dots: true };
  });
  const ends = own.map(
    ({ stepSize, points }) => `η = ${stepSize}: ${points.slice(0, 4).map(compactText).join(", ")} …`,
  );
  return html`<figure class="chart"><figcaption><strong>${gamma === 0 ? "Without the gradient ahead" : `With γ = ${gamma} of it`}</strong><span>${ends.join("; ")}</span></figcaption>
${chart(document, {
  series: [{ samples: CURVE, stroke: "var(--neither)" }, ...walks],
  x: { label: "x", scale: { kind: "linear" } },
  y: { label: "f(x)", scale: { kind: "linear" } },
  description: `Descent on x² with γ = ${gamma}; ${ends.join("; ")}`,
})}</figure>`;
}
