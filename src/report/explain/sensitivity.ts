import type { SensitivityPart, SensitivityScope } from "../../audit/index.ts";
import { countText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { chart, scaleFor } from "./chart.ts";
import type { Finding } from "./findings.ts";

const TITLES: Readonly<Record<SensitivityScope["name"], string>> = {
  "last-layer": "The last layer, as in the paper",
  "all-layers": "All layers, which partial matching ranks",
};

/** Gradient magnitude against sensitivity, entry by entry: Figure 9. */
export function sensitivitySection({ scopes }: SensitivityPart, finding: Finding, document: DrawingDocument): Html {
  return html`<section aria-labelledby="sensitivity">
<h2 id="sensitivity">Do large gradient entries answer more to the images?</h2>
<p class="finding">${finding.sentence} ${finding.more}</p>
<p>As in the paper's Figure 9: for each gradient entry g_i its magnitude |g_i| and its sensitivity Σ|∂g_i/∂x| over all pixels of the batch. Partial matching keeps large entries because they are said to be the sensitive ones. The correlation is Pearson's, of the plain values, which a few large entries may carry; Spearman's looks at ranks alone. The paper uses 100 samples and does not say whether they make one gradient; here the client's batch makes one. The range is a bootstrap over the sampled entries and says nothing of other images or weights.</p>
<div class="charts">${scopes.map((scope) => figure(scope, document))}</div>
</section>`;
}

function figure(scope: SensitivityScope, document: DrawingDocument): Html | undefined {
  const { name, magnitudes, sensitivities, pearson, spearman, sampled, entries } = scope;
  const points = magnitudes.map((x, i) => ({ x, y: sensitivities[i]! })).filter(({ x, y }) => x > 0 && y > 0);
  if (points.length === 0) return undefined;
  const [x, y] = [scaleFor(points.map((p) => p.x)), scaleFor(points.map((p) => p.y))];
  const numbers = `Pearson ${correlation(pearson)}, Spearman ${correlation(spearman)}`;
  return html`<figure class="chart"><figcaption><strong>${TITLES[name]}</strong><span>${numbers}; ${countText(sampled)} of ${countText(entries)} entries${(x.kind === "log" || y.kind === "log") && ", log scale"}</span></figcaption>
${chart(document, {
  series: [],
  points,
  x: { label: "|g_i|", scale: x },
  y: { label: "Σ|∂g_i/∂x|", scale: y },
  description: `Sensitivity over magnitude of ${points.length} gradient entries: ${numbers}`,
})}${points.length < sampled && html`<p>Entries that are 0 and so not drawn: ${countText(sampled - points.length)}.</p>`}</figure>`;
}

function correlation(value: number | null): string {
  return value === null ? "undefined" : value.toFixed(3).replace("-", "−");
}
