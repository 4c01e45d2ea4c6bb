import type { AuditPictures, AuditRecord, AuditTable } from "../../audit/index.ts";
import { floorsSection } from "../floors.ts";
import { compactText, countText, dbText, percentText, plural, signedDbText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { blankDocument, pageOf } from "../page.ts";
import { floorOf } from "../row-verdict.ts";
import { ROWS_STYLE } from "../rows.ts";
import { STYLE } from "../style.ts";
import { ledgerSection } from "../tables.ts";
import { labelsSection } from "./labels.ts";
import { auditPictures } from "./pictures.ts";
import { auditRows } from "./rows.ts";
import { searchesSection } from "./searches.ts";
import { AUDIT_STYLE } from "./style.ts";
import { auditVerdict, searchesText, strangersText } from "./verdict.ts";

/**
 * The report of an audit of a captured update as one HTML file that needs nothing else: no script, no request.
 *
 * record: a checked record. pictures: PNG data URLs, every row in the order of the best one. document: where charts are drawn.
 * The same input gives the same text. Everything from the record is escaped.
 */
export function renderAudit(
  record: AuditRecord,
  pictures: AuditPictures,
  document: DrawingDocument = blankDocument(),
): string {
  const { headline, sentences } = auditVerdict(record);
  const title = titleOf(record);
  return pageOf({
    title,
    style: record.table ? STYLE + AUDIT_STYLE + ROWS_STYLE : STYLE + AUDIT_STYLE,
    allows: ["pictures"],
    body: html`<header>
<p class="brand">fedleak audit<span class="status ${record.status}">${record.status}</span></p>
<p class="run">${title} · <time datetime="${record.startedAt}">${record.startedAt.slice(0, 16).replace("T", " ")} UTC</time></p>
<h1>${headline}</h1>
<p class="lead">${sentences[0]}</p>
${sentences.length > 1 && html`<p>${sentences.slice(1).join(" ")}</p>`}
${facts(record)}
</header>
<main>
${record.table ? auditRows(record) : auditPictures(record, pictures)}
${adviceSection(record)}
${searchesSection(record, document)}
${labelsSection(record)}
${record.scores && !record.scores.table && floorsSection(record.scores)}
${checkSection(record)}
${ledgerSection(record)}
${reproduceSection(record)}
</main>
<footer><p>PSNR is 10 log10(1 / MSE) an image, then averaged.</p>
<p><strong>This file may show a client's private images.</strong> Keep it as you would keep them.</p></footer>`,
  });
}

/** `fedleak-plus on model.onnx, 4 images 3×32×32` */
function titleOf({ plan, subject, table }: AuditRecord): string {
  const [count, ...shape] = subject.shape;
  return `${plan.attack} on ${subject.model}, ${plural(count!, table ? "row" : "image")} ${shape.join("×")}`;
}

function facts(record: AuditRecord): Html {
  const { confidence, labels, scores, check, subject } = record;
  const proven = labels.proven && Object.values(labels.proven).reduce((a, b) => a + b, 0);
  const agreeing = confidence?.agreement.filter(({ agrees }) => agrees).length ?? 0;
  const rows: readonly (readonly [string, string, string])[] = [
    ...(confidence
      ? [
          [
            "Residual",
            compactText(confidence.residual),
            confidence.controlResidual === null
              ? "0: the update is explained"
              : `control on an update of nobody ${compactText(confidence.controlResidual)}${strangersText(confidence)}`,
          ] as const,
        ]
      : []),
    ...(confidence && confidence.agreement.length > 0
      ? [
          [
            record.table ? "Rows that agree" : "Images that agree",
            `${agreeing} of ${confidence.agreement.length}`,
            `between ${searchesText(confidence.fitting.length)} that fit`,
          ] as const,
        ]
      : []),
    [
      labels.granted ? "Labels, given" : "Labels, inferred",
      `${labels.inferred.length}`,
      labels.granted ? "" : proven === null ? "none proven" : `${proven} proven by signs`,
    ],
    [
      "Before any attack",
      check.verdict,
      `${countText(check.equations)} numbers, ${countText(check.unknowns ?? 0)} unknowns`,
    ],
    ...(scores?.table
      ? ([
          [
            "Cells that match",
            percentText(scores.table.matchRate),
            `${guessText(scores.table)}; ${Math.round(scores.table.wholeRows * scores.table.rows.length)} of ${plural(scores.table.rows.length, "row")} whole`,
          ],
        ] as const)
      : []),
    ...(scores && !scores.table
      ? ([
          ["PSNR, one-to-one", dbText(scores.psnrDb.oneToOne), `many-to-one ${dbText(scores.psnrDb.manyToOne)}`],
          [
            "Above the highest floor",
            signedDbText(scores.leakage.oneToOne.aboveFloorDb),
            `${percentText(scores.leakage.oneToOne.share)} of the best floor's squared error is gone`,
          ],
        ] as const)
      : []),
    ...(scores ? [] : [["Model", countText(subject.parameters), "parameters"] as const]),
  ];
  return html`<dl class="facts">${rows.map(
    ([name, value, note]) => html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`,
  )}</dl>`;
}

function guessText(table: AuditTable): string {
  const floor = floorOf(table);
  return floor === undefined ? "no floor: one row" : `guessing finds ${percentText(floor)}`;
}

function adviceSection({ advice }: AuditRecord): Html | undefined {
  if (advice.length === 0) return undefined;
  return html`<section aria-labelledby="advice">
<h2 id="advice">What to do</h2>
<ol class="advice">${advice.map((sentence) => html`<li>${sentence}</li>`)}</ol>
</section>`;
}

function checkSection({ check }: AuditRecord): Html {
  return html`<section aria-labelledby="check">
<h2 id="check">What the check says of the files</h2>
<p>${check.consistent ? "The files are consistent, as far as they can be tested." : "The files contradict themselves or each other."}
Expected before any attack: ${check.verdict}. ${check.reasons.join("; ")}.</p>
<ul class="plain">${check.findings.map(({ level, text }) => html`<li class="${level}">${text}</li>`)}</ul>
</section>`;
}

function reproduceSection({ command, versions, plan, spec }: AuditRecord): Html {
  const { evaluations } = plan.settings;
  const timed = typeof spec.budgetMs === "number" && typeof evaluations === "number" && evaluations > 0;
  return html`<section aria-labelledby="reproduce">
<h2 id="reproduce">Run it again</h2>
<pre tabindex="0" aria-label="command"><code>${command}</code></pre>
${timed && html`<p>How much a time budget allows depends on the machine. With <code>--evaluations ${evaluations}</code> in place of <code>--budget</code> it is the same everywhere.</p>`}
<div class="groups"><table><caption>versions</caption><tbody>${Object.entries(versions).map(
    ([name, value]) => value !== undefined && html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
  )}</tbody></table></div>
</section>`;
}
