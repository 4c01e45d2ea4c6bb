import type { Assumption, Explanation, PartName } from "../../audit/index.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { blankDocument, pageOf } from "../page.ts";
import { STYLE } from "../style.ts";
import { convergenceSection } from "./convergence.ts";
import { dampingSection } from "./damping.ts";
import { findings } from "./findings.ts";
import { noiseSection } from "./noise.ts";
import { sensitivitySection } from "./sensitivity.ts";
import { EXPLAIN_STYLE } from "./style.ts";

/**
 * An explanation as one HTML file that needs nothing else: no script, no request, no image of the private batch.
 *
 * document: where the charts are drawn; a browser passes its own. The same input gives the same text.
 */
export function renderExplanation(found: Explanation, document: DrawingDocument = blankDocument()): string {
  const { parts } = found;
  const told = findings(found);
  const title = titleOf(found);
  const missing = (Object.keys(NAMES) as PartName[]).filter((part) => parts[part] === undefined);
  return pageOf({
    title,
    style: STYLE + EXPLAIN_STYLE,
    allows: [],
    body: html`<header>
<p class="brand">fedleak explain<span class="status ${found.status}">${found.status}</span></p>
<p class="run">${title} · <time datetime="${found.startedAt}">${dateText(found.startedAt)}</time></p>
<h1>What decides whether this attack finds the private images</h1>
<ul class="findings">${(Object.keys(NAMES) as PartName[]).flatMap((part) => {
      const text = told[part];
      return text === undefined
        ? []
        : [html`<li><strong>${NAMES[part]}${stateText(found, part)}</strong>${text.sentence}</li>`];
    })}</ul>
${missing.length > 0 && html`<p>Not computed: ${missing.map((part) => NAMES[part].toLowerCase()).join(", ")}.</p>`}
</header>
<main>
${parts.convergence && convergenceSection(parts.convergence, told.convergence!, document)}
${parts.noise && noiseSection(parts, told.noise!, document)}
${parts.sensitivity && sensitivitySection(parts.sensitivity, told.sensitivity!, document)}
${parts.damping && dampingSection(parts.damping, told.damping!, document)}
${settingSection(found)}
</main>
<footer><p>These diagnostics need the private images: they are computed by the audit, beside the attack, which never sees them. The file holds no image.</p></footer>`,
  });
}

const NAMES: Readonly<Record<PartName, string>> = {
  convergence: "Convergence",
  noise: "Gradient distance against noise",
  sensitivity: "Magnitude and sensitivity",
  damping: "Damping",
};

function stateText({ parts, versions }: Explanation, part: PartName): string {
  const { status, versions: own = versions } = parts[part]!;
  const others = VERSIONED.flatMap((name) => (own[name] === versions[name] ? [] : [`${name} ${own[name]}`]));
  const told = [...(status === "finished" ? [] : [status]), ...(others.length > 0 ? [`by ${others.join(", ")}`] : [])];
  return told.length === 0 ? "" : ` (${told.join(", ")})`;
}

const VERSIONED = ["fedleak", "node", "onnxruntime", "platform"] as const;

/** `fedleak on resnet10 (sigmoid), embedded, batch 4` */
function titleOf({ spec }: Explanation): string {
  const { activation } = spec.model.options as { readonly activation?: string };
  return `${spec.attack.name} on ${spec.model.name}${activation ? ` (${activation})` : ""}, ${spec.data.name}, batch ${spec.client.batchSize}`;
}

/** What the numbers assume, in the attack's own words, and the command. */
function settingSection({ ledger, command }: Explanation): Html {
  const row = ({ assumption, value, origin, note }: Assumption) =>
    html`<tr><th scope="row">${assumption}</th><td>${value}${note !== undefined && html`<small>${note}</small>`}</td><td><span class="origin ${origin}">${origin}</span></td></tr>`;
  return html`<section aria-labelledby="setting">
<h2 id="setting">The setting</h2>
<p>The attack as set; the variants of the first part change maskRatio and gamma alone, and maskScope and the look-ahead where the attack has none.</p>
<pre tabindex="0" aria-label="command"><code>${command}</code></pre>
<table class="ledger">
<thead><tr><th scope="col">Assumption</th><th scope="col">Value</th><th scope="col">Origin</th></tr></thead>
<tbody>${ledger.map(row)}</tbody>
</table>
</section>`;
}

/** `2026-03-14 09:26 UTC`, straight from the ISO text: the same in every time zone. */
function dateText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
