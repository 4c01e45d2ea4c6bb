import type { AuditTable, RunResults } from "../audit/index.ts";
import { percentText } from "./format.ts";
import { type Html, html } from "./html.ts";

type Labels = Pick<RunResults["labels"], "trueLabels" | "inferredLabels" | "classNames">;

/** Every private row beside its reconstruction, cell by cell. */
export function rowsSection(table: AuditTable, labels: Labels): Html {
  return html`<section aria-labelledby="rows">
<h2 id="rows">Private rows and their reconstructions</h2>
<p>Left the private row, right its reconstruction, paired one-to-one by squared error. ● marks a cell that matches: a category
exactly, a number within ${percentText(table.tolerance)} of its column's range.</p>
<div class="groups rows">${table.rows.map((_, i) => rowTable(table, i, labels))}</div>
</section>`;
}

/** What each column leaves open, against what guessing finds. */
export function columnsSection({ columns, floorsFrom, matchRate, interval95, floors }: AuditTable): Html {
  return html`<section aria-labelledby="columns">
<h2 id="columns">Column by column, against guessing</h2>
<p>${
    floors
      ? html`The first guess is the most frequent category or the median for every row; the second draws each cell from its column's values
and is paired as the reconstruction is. Both know ${floorsFrom}. Only what lies above both tells of leakage.`
      : "There is no floor: one row tells nothing of what guesses find."
  }</p>
<table class="columns">
<thead><tr><th scope="col">Column</th><th scope="col">Kind</th><th scope="col" class="number">Match</th><th scope="col" class="number">95 % interval</th><th scope="col" class="number">Most frequent</th><th scope="col" class="number">Drawn</th></tr></thead>
<tbody>${columns.map(
    (column) => html`<tr><th scope="row">${column.name}</th><td>${column.kind}</td>${numbers(column)}</tr>`,
  )}
<tr><th scope="row"><strong>all cells</strong></th><td></td>${numbers({ matchRate, interval95, floors })}</tr></tbody>
</table>
</section>`;
}

/** Of the report of a table, beside the style of all reports. */
export const ROWS_STYLE = `
.rows td:last-child { width: 2em; color: var(--result); }
.rows .missed td { color: var(--muted); }
.rows th { width: 32%; }
`;

function numbers({ matchRate, interval95, floors }: Pick<AuditTable, "matchRate" | "interval95" | "floors">): Html {
  const range = interval95 === null ? "–" : `${percentText(interval95[0])} to ${percentText(interval95[1])}`;
  const cells = [
    percentText(matchRate),
    range,
    ...(floors ? [percentText(floors.marginal), percentText(floors.drawn)] : ["–", "–"]),
  ];
  return html`${cells.map((text) => html`<td class="number">${text}</td>`)}`;
}

function rowTable({ rows, columns, hits }: AuditTable, i: number, labels: Labels): Html {
  const { trueIndex, reconstructionIndex, truth, rebuilt } = rows[i]!;
  const name = (label: number | undefined) =>
    label === undefined ? "no label" : (labels.classNames?.[label] ?? `class ${label}`);
  const [own, guess] = [labels.trueLabels[trueIndex], labels.inferredLabels[reconstructionIndex]];
  const line = (column: string, left: string, right: string, hit: boolean) =>
    html`<tr${!hit && html` class="missed"`}><th scope="row">${column}</th><td>${left}</td><td>${right}</td><td>${hit ? html`<span aria-label="matches">●</span>` : html`<span class="hidden">differs</span>`}</td></tr>`;
  return html`<table>
<caption>${hits[i]!.filter(Boolean).length} of ${columns.length} cells</caption>
<thead><tr><th scope="col">column</th><th scope="col">private ${trueIndex}</th><th scope="col">rebuilt ${reconstructionIndex}</th><th scope="col"><span class="hidden">match</span></th></tr></thead>
<tbody>${columns.map((column, c) => line(column.name, truth[c]!, rebuilt[c]!, hits[i]![c]!))}
${line("label", name(own), name(guess), own === guess)}</tbody>
</table>`;
}
