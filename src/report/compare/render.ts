import type { BatchPictures, Comparison } from "../../audit/index.ts";
import { countText, durationText, plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { blankDocument, pageOf } from "../page.ts";
import { STYLE } from "../style.ts";
import { failuresSection, planSection, termsSection } from "./about.ts";
import { assumptionText } from "./assumption-text.ts";
import { type Cell, cellName, cellsOf } from "./cells.ts";
import { chartsMarkup } from "./charts.ts";
import { gallery } from "./gallery.ts";
import { headline } from "./headline.ts";
import { fullTable, rankTable } from "./rank-table.ts";
import { COMPARE_STYLE } from "./style.ts";

/**
 * The report of a comparison as one HTML file that needs nothing else: no script, no request, every byte inside.
 *
 * comparison: checked. pictures: PNG data URLs, for none, some or all settings and batch sizes. document: where the charts
 * are drawn; a browser passes its own. The same input gives the same text. Everything that is not ours is escaped.
 * Throws FedleakError when a picture is no data URL.
 */
export function renderComparison(
  comparison: Comparison,
  pictures: readonly BatchPictures[],
  document: DrawingDocument = blankDocument(),
): string {
  const { plan, status, startedAt } = comparison;
  const cells = cellsOf(comparison, pictures);
  const { title, sentences } = headline(cells);
  const name = `${plural(plan.attacks.length, "attack")}, ${plural(plan.settings.length, "setting")}, ${plural(plan.seeds.length, "seed")}`;
  return pageOf({
    title: `fedleak comparison: ${name}`,
    style: STYLE + COMPARE_STYLE,
    allows: ["pictures"],
    body: html`<header>
<p class="brand">fedleak comparison<span class="status ${status}">${status}</span></p>
<p class="run">${name} · <time datetime="${startedAt}">${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC</time></p>
<h1>${title}</h1>
${sentences.map((sentence) => html`<p>${sentence}</p>`)}
${facts(comparison)}
</header>
<main>
${cells.map((cell, i) => cellSection(comparison, cell, i, document))}
${failuresSection(comparison)}
${termsSection(comparison)}
${planSection(comparison)}
</main>
<footer><p>PSNR is 10 log10(1 / MSE) per image, then averaged; an exact image counts as 100 dB. SSIM is Wang 2004 with an 11 × 11 Gaussian window.</p>
<p><strong>This file may contain the private images of the audited batches.</strong> Keep it as you keep them.</p></footer>`,
  });
}

function cellSection(comparison: Comparison, cell: Cell, i: number, document: DrawingDocument): Html {
  return html`<section aria-labelledby="cell-${i}">
<h2 id="cell-${i}">${cellName(cell)}</h2>
<p>${cell.about !== undefined && `${cell.about} `}${countText(cell.evaluations)} gradient evaluations a trial.
Small marks are images, the wide bar is the 95 % interval of the mean, the dashed line the highest floor:
what a picture scores that shows no single private image.</p>
${rankTable(comparison, cell)}
${chartsMarkup(comparison, cell, document)}
${gallery(cell)}
<h3>All numbers</h3>
${fullTable(cell)}
${assumptionsMarkup(comparison, cell)}
</section>`;
}

function assumptionsMarkup(comparison: Comparison, cell: Cell): Html | undefined {
  const text = assumptionText(comparison, cell);
  if (text === undefined) return undefined;
  const { shared, differing } = text;
  return html`<p class="note"><strong>Assumed in every row.</strong> ${shared}</p>
${differing !== undefined && html`<p class="note"><strong>Not the same in all rows.</strong> ${differing}</p>`}`;
}

function facts({ plan, rows }: Comparison): Html {
  const scored = rows.filter(({ result }) => result !== undefined);
  const failed = rows.filter(({ status }) => status === "failed").length;
  const seconds = scored.reduce((sum, { result }) => sum + result!.seconds, 0);
  const budgets = [...new Set(plan.batches.map(({ evaluations }) => countText(evaluations)))];
  const told: readonly (readonly [name: string, value: string, detail: string])[] = [
    ["Trials", `${scored.length} of ${rows.length}`, failed === 0 ? "scored, none failed" : `scored, ${failed} failed`],
    ["Budget of a trial", budgets.join(", "), "gradient evaluations, the same for all attacks"],
    ["Time", durationText(seconds), "of all trials together"],
  ];
  return html`<dl class="facts">${told.map(
    ([name, value, detail]) =>
      html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${detail}</span></dd></div>`,
  )}</dl>`;
}
