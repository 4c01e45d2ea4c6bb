import type { AuditRecord } from "../../audit/index.ts";
import { compactText, countText, dbText, durationText } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type DrawingDocument, lineChart } from "../line-chart.ts";
import { AUDIT_RULE } from "./verdict.ts";

/** A row for each search: how well its images explain the update it was given, at what cost, and their score where there is a truth. */
export function searchesSection(record: AuditRecord, document: DrawingDocument): Html | undefined {
  const { rows, scores, confidence, plan } = record;
  if (rows.length === 0) return undefined;
  const limit = confidence && limitOf(confidence);
  return html`<section aria-labelledby="searches">
<h2 id="searches">How sure that is, without the truth</h2>
<p>The residual is 1 − cosine of the images' gradient to the update: 0 explains it wholly, 1 not at all. ${AUDIT_RULE}
${limit !== undefined && `The limit is ${compactText(limit)} here.`}</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Search</th><th scope="col" class="number">Residual</th><th scope="col"></th>
${scores && html`<th scope="col" class="number">PSNR</th>`}<th scope="col" class="number">Gradients</th><th scope="col" class="number">Time</th></tr></thead>
<tbody>${rows.map(
    ({
      name,
      residual,
      failure,
      evaluations,
      seconds,
    }) => html`<tr><th scope="row">${name}${name === "control" && html`<small>on an update of nobody</small>`}</th>
<td class="number">${residual === null ? "–" : compactText(residual)}</td>
<td>${failure ?? fitText(record, name)}</td>
${scores && html`<td class="number">${scores.rows[name] === undefined ? "–" : dbText(scores.rows[name])}</td>`}
<td class="number">${countText(evaluations)}</td><td class="number">${durationText(seconds)}</td></tr>`,
  )}</tbody>
</table></div>
${curves(record, document)}
<h3>Attacks that were looked at</h3>
<ul class="plain">${plan.verdicts.map(({ attack, verdict }) => html`<li><strong>${attack}</strong> ${verdict}</li>`)}</ul>
</section>`;
}

/** The most that a search which fits may leave; undefined for a closed form. */
function limitOf({ controlResidual, strangersResidual }: NonNullable<AuditRecord["confidence"]>): number | undefined {
  const known = [controlResidual, strangersResidual].filter((residual) => residual !== null);
  return known.length === 0 ? undefined : Math.min(...known) / 2;
}

function fitText({ confidence }: AuditRecord, name: string): string {
  if (name === "control" || !confidence) return "";
  const fits = confidence.fitting.includes(name) ? "fits" : "does not fit";
  return name === confidence.best ? `${fits}, the best` : fits;
}

const LOG_SPAN = 20; // as the charts of a run

function curves({ rows }: AuditRecord, document: DrawingDocument): Html | undefined {
  const drawn = rows.flatMap(({ name, curve }) => {
    const samples = curve.flatMap(({ evaluations, iteration, cosine }) =>
      cosine === undefined ? [] : [{ x: evaluations ?? iteration, y: Math.max(0, 1 - cosine) }],
    );
    return samples.length > 1 ? [{ name, samples }] : [];
  });
  if (drawn.length === 0) return undefined;
  return html`<div class="charts">${drawn.map(({ name, samples }) => {
    const values = samples.map(({ y }) => y);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const log = low > 0 && high / low > LOG_SPAN;
    const description = `${name}: 1 − cosine falls from ${compactText(values[0]!)} to ${compactText(values.at(-1)!)}`;
    return html`<figure class="chart"><figcaption><strong>${name}</strong><span>1 − cosine along the search${log && ", log scale"}</span></figcaption>
${lineChart(document, { samples, log, description, unit: "gradient evaluation" })}</figure>`;
  })}</div>`;
}
