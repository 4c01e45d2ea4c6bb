import type { RunRecord } from "../audit/index.ts";
import { curvesSection } from "./curves.ts";
import { factsSection } from "./facts.ts";
import { floorsSection } from "./floors.ts";
import { type Html, html } from "./html.ts";
import type { DrawingDocument } from "./line-chart.ts";
import { blankDocument, pageOf } from "./page.ts";
import { type Pictures, picturesSection } from "./pictures.ts";
import { ROW_RULE } from "./row-verdict.ts";
import { columnsSection, ROWS_STYLE, rowsSection } from "./rows.ts";
import { STYLE } from "./style.ts";
import { ledgerSection, reproduceSection, settingsSection } from "./tables.ts";
import { VERDICT_RULE, verdict } from "./verdict.ts";

/**
 * The report of one run as one HTML file that needs nothing else: no script, no request, every byte inside.
 *
 * record: a checked record. pictures: PNG data URLs, originals in batch order, reconstructions in their own order; for a run
 * without results both may be empty. document: where the charts are drawn; a browser passes its own.
 * The same input gives the same text. Everything from the record is escaped.
 * Throws FedleakError when a picture is no data URL or the pictures do not fit the record's pairs.
 */
export function renderReport(
  record: RunRecord,
  pictures: Pictures,
  document: DrawingDocument = blankDocument(),
): string {
  const { headline, sentences } = verdict(record);
  const title = titleOf(record);
  return pageOf({
    title,
    style: record.results?.table ? STYLE + ROWS_STYLE : STYLE,
    allows: ["pictures"],
    body: html`<header>
<p class="brand">fedleak report<span class="status ${record.status}">${record.status}</span></p>
<p class="run">${title}${record.startedAt !== undefined && html` · <time datetime="${record.startedAt}">${dateText(record.startedAt)}</time>`}</p>
<h1>${headline}</h1>
<p class="lead">${sentences[0]}</p>
${sentences.length > 1 && html`<p>${sentences.slice(1).join(" ")}</p>`}
${record.results && factsSection(record.results)}
</header>
<main>
${shown(record, pictures)}
${curvesSection(record, document)}
${ledgerSection(record)}
${settingsSection(record)}
${reproduceSection(record)}
</main>
<footer>${footerNotes(record)}</footer>`,
  });
}

/** What was rebuilt, and the floors beside it: rows of a table cell by cell, images as pictures. */
function shown(record: RunRecord, pictures: Pictures): Html {
  const { results } = record;
  if (results?.table) return html`${rowsSection(results.table, results.labels)}${columnsSection(results.table)}`;
  return html`${picturesSection(record, pictures)}
${results && floorsSection(results)}`;
}

/** `fedleak on resnet10, cifar10, batch 8`: what the spec names, as far as it does. */
function titleOf({ spec }: RunRecord): string {
  const named = [spec.model.name, spec.data.name]
    .filter((name) => typeof name === "string")
    .map((name) => name.split(/[\\/]/).at(-1)!); // a model in a file goes by the file's name
  return [spec.attack.name, ...(named.length > 0 ? [`on ${named.join(", ")}`] : [])].join(" ");
}

function footerNotes({ results }: RunRecord): Html {
  return html`${results && html`<p>${results.table ? `${ROW_NOTE} ${ROW_RULE}` : `${IMAGE_NOTE} ${VERDICT_RULE}`}</p>`}
<p><strong>This file may contain the private ${results?.table ? "rows" : "images"} of the audited batch.</strong> Keep it as you keep them.</p>`;
}

const IMAGE_NOTE =
  "PSNR is 10 log10(1 / MSE) per image, then averaged; an exact image counts as 100 dB. Intervals are bootstraps over the images, too short for few of them. SSIM is Wang 2004 with an 11 × 11 Gaussian window, MS-SSIM Wang 2003 with as many of its five scales as the images have room for. Features are those before the last layer of the audited model.";
const ROW_NOTE =
  "The interval of all cells is a bootstrap over the rows, too short for few of them; that of a column is Wilson's. Scores as of images, PSNR for one, are in the record.";

/** `2026-03-14 09:26 UTC`, straight from the ISO text: the same in every time zone. */
function dateText(iso: string): string {
  return `${iso.slice(0, 10)} ${iso.slice(11, 16)} UTC`;
}
