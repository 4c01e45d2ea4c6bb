import type { AuditRecord } from "../../audit/index.ts";
import { percentText, plural } from "../format.ts";
import { type Html, html } from "../html.ts";

/** `cat (3)`, or `class 3` without names. */
export function className({ subject: { classNames } }: Pick<AuditRecord, "subject">, label: number): string {
  const name = classNames[label];
  return name === undefined ? `class ${label}` : `${name} (${label})`;
}

/** Which classes the client's images have, as inferred, and how sure that is. */
export function labelsSection(record: AuditRecord): Html {
  const { labels, scores } = record;
  const truth = scores?.labels;
  const counts = countsOf(labels.inferred);
  const real = truth ? countsOf(truth.trueLabels) : undefined;
  const classes = [...new Set([...counts.keys(), ...(real?.keys() ?? [])])].sort((a, b) => a - b);
  return html`<section aria-labelledby="labels">
<h2 id="labels">Labels</h2>
<p>${labelSentences(record).join(" ")}</p>
<div class="scroll"><table class="label-counts">
<thead><tr><th scope="col">Class</th><th scope="col" class="number">${labels.granted ? "Given" : "Inferred"}</th>
${labels.proven && html`<th scope="col" class="number">At least</th>`}${real && html`<th scope="col" class="number">True</th>`}</tr></thead>
<tbody>${classes.map(
    (
      label,
    ) => html`<tr><th scope="row">${className(record, label)}</th><td class="number">${counts.get(label) ?? 0}</td>
${labels.proven && html`<td class="number">${labels.proven[label] ?? 0}</td>`}${real && html`<td class="number">${real.get(label) ?? 0}</td>`}</tr>`,
  )}</tbody>
</table></div>
</section>`;
}

/** How the labels were come by and how sure they are. */
export function labelSentences({ labels, scores }: Pick<AuditRecord, "labels" | "scores">): string[] {
  const { inferred, proven, agreeing, differing, about, granted } = labels;
  const sure = proven === null ? undefined : Object.values(proven).reduce((a, b) => a + b, 0);
  const truth = scores?.labels;
  return [
    `${about.slice(0, 1).toUpperCase()}${about.slice(1)}.`,
    ...(granted
      ? []
      : [
          sure === undefined
            ? "Nothing proves any of them: the update is not one plain gradient of a head with bias."
            : `${sure} of ${plural(inferred.length, "label")} ${sure === 1 ? "is" : "are"} proven by the signs of the head's gradient, if the update is what its manifest says.`,
          rulesSentence(agreeing, differing),
        ]),
    ...(truth ? [`Truly ${percentText(truth.countAccuracy)} of them are right.`] : []),
  ];
}

function rulesSentence(agreeing: readonly string[], differing: readonly string[]): string {
  if (agreeing.length + differing.length === 0) return "No other rule applies.";
  if (differing.length === 0) return `All other rules say the same (${agreeing.join(", ")}).`;
  if (agreeing.length === 0) return `Every other rule says otherwise (${differing.join(", ")}).`;
  return `The same say ${agreeing.join(", ")}; others ${differing.join(", ")}.`;
}

function countsOf(labels: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return counts;
}
