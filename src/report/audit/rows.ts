import type { AuditRecord } from "../../audit/index.ts";
import { type Html, html } from "../html.ts";
import { columnsSection, rowsSection } from "../rows.ts";
import { className } from "./labels.ts";

/** The rows of a table that the best search found: beside the private ones where there are some, else as they are. */
export function auditRows(record: AuditRecord): Html | undefined {
  const { table, scores, confidence, rows, subject } = record;
  if (table === undefined) return undefined;
  const labels = rows.find(({ name }) => name === confidence?.best)?.labels ?? [];
  if (scores?.table) {
    const trueLabels = scores.labels?.trueLabels ?? [];
    const told = { trueLabels, inferredLabels: labels, classNames: subject.classNames };
    return html`${rowsSection(scores.table, told)}${columnsSection(scores.table)}`;
  }
  return html`<section aria-labelledby="rows">
<h2 id="rows">What was found</h2>
<p>The rows of the search of least residual, category by category the likeliest, and the label that goes with each.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">row</th>${table.columns.map((name) => html`<th scope="col">${name}</th>`)}<th scope="col">label</th></tr></thead>
<tbody>${table.rows.map(
    (cells, i) =>
      html`<tr><th scope="row">${i}</th>${cells.map((cell) => html`<td>${cell}</td>`)}<td>${labels[i] === undefined ? "–" : className(record, labels[i])}</td></tr>`,
  )}</tbody>
</table></div>
</section>`;
}

/** A sentence about images and pictures as one about rows. */
export function inRows(text: string): string {
  return text.replaceAll(/\b(image|picture)(s?)\b/g, "row$2").replaceAll(/\b(Image|Picture)(s?)\b/g, "Row$2");
}
