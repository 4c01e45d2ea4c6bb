import type { Advice, Tradeoff } from "../../audit/index.ts";
import { COMPARE_STYLE } from "../compare/style.ts";
import { durationText, plural } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { blankDocument, pageOf } from "../page.ts";
import { STYLE } from "../style.ts";
import { adviceText } from "./advice-text.ts";
import { tradeoffChart } from "./chart.ts";
import { TRADEOFF_COLUMNS, tradeoffNote } from "./columns.ts";
import { keyOf } from "./figure.ts";
import { type Panel, panelsOf } from "./lines.ts";

/**
 * The report of a trade-off as one HTML file that needs nothing else: no script, no request, every byte inside.
 *
 * tradeoff: checked. advice: of the same trade-off. document: where the charts are drawn; a browser passes its own. The same
 * input gives the same text. Everything that is not ours is escaped.
 */
export function renderTradeoff(
  tradeoff: Tradeoff,
  advice: Advice,
  document: DrawingDocument = blankDocument(),
): string {
  const { plan, status, startedAt } = tradeoff;
  const { title, sentences } = adviceText(advice);
  const name = `${plan.train.model.name}, ${plural(plan.cells.length, "setting")}`;
  return pageOf({
    title: `fedleak trade-off: ${name}`,
    style: STYLE + COMPARE_STYLE + KEY_STYLE,
    allows: ["pictures"],
    body: html`<header>
<p class="brand">fedleak trade-off<span class="status ${status}">${status}</span></p>
<p class="run">${name} · <time datetime="${startedAt}">${startedAt.slice(0, 10)} ${startedAt.slice(11, 16)} UTC</time></p>
<h1>${title}</h1>
${sentences.map((sentence) => html`<p>${sentence}</p>`)}
${facts(tradeoff)}
</header>
<main>
${panelsOf(tradeoff).map((panel, i) => panelSection(tradeoff, panel, i, document))}
${privacySection(tradeoff)}
${listSection("assumptions", "What this assumes", advice.assumptions)}
${listSection("untested", "What was not tested", advice.notTested)}
${failuresSection(tradeoff)}
${againSection(tradeoff)}
</main>
<footer><p>PSNR is 10 log10(1 / MSE) per image, then averaged; an exact image counts as 100 dB. Accuracy is the share of images
classified rightly, BatchNorm by its running statistics.</p></footer>`,
  });
}

const KEY_STYLE = ".key { margin-bottom: 16px; }\n";

function panelSection(tradeoff: Tradeoff, panel: Panel, i: number, document: DrawingDocument): Html {
  const chart = tradeoffChart(tradeoff, panel, document);
  return html`<section aria-labelledby="panel-${i}">
<h2 id="panel-${i}">${panel.title}</h2>
<p>Down is private, right is accurate. A full dot is the worst attacker of a setting, with 95 % intervals; hollow dots are the
others. The band reaches from the lowest to the highest floor of the batches: what a picture scores that shows no single private image. The
dashed upright line, where it is in sight, is the accuracy of always naming the commonest class.</p>
${
  chart &&
  html`<figure class="chart">${chart}</figure>
<ul class="key">${keyOf(tradeoff).map(
    ({ name, colour }) =>
      html`<li><svg width="12" height="12" aria-hidden="true"><circle cx="6" cy="6" r="4.5" fill="${colour}"></circle></svg>${name}</li>`,
  )}</ul>`
}
<div class="scroll" tabindex="0" role="region" aria-label="all numbers"><table class="full">
<thead><tr><th scope="col">setting</th>${TRADEOFF_COLUMNS.map(
    ({ title, about }) => html`<th scope="col" class="number" title="${about}">${title}</th>`,
  )}</tr></thead>
<tbody>${panel.lines.map(
    (line) =>
      html`<tr><th scope="row">${line.cell}</th>${TRADEOFF_COLUMNS.map(({ text }) => html`<td class="number">${text(line)}</td>`)}</tr>`,
  )}</tbody>
</table></div>
<p class="note">${tradeoffNote(tradeoff)}</p>
</section>`;
}

function facts({ plan, cells }: Tradeoff): Html {
  const trials = cells.flatMap((cell) => cell.trials);
  const scored = trials.filter(({ result }) => result !== undefined);
  const trained = cells.flatMap(({ training }) => (training ? [training] : []));
  const seconds =
    trained.reduce((sum, one) => sum + one.seconds, 0) + scored.reduce((sum, { result }) => sum + result!.seconds, 0);
  const told: readonly (readonly [name: string, value: string, detail: string])[] = [
    ["Models", `${trained.length} of ${cells.length}`, `trained, ${plural(plan.train.length, "round")} each`],
    ["Attacks", `${scored.length}`, `scored, ${plan.attack.evaluations} gradient evaluations each`],
    ["Time", durationText(seconds), "of all trainings and attacks together"],
  ];
  return html`<dl class="facts">${told.map(
    ([name, value, detail]) =>
      html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${detail}</span></dd></div>`,
  )}</dl>`;
}

function privacySection({ cells }: Tradeoff): Html | undefined {
  const told = cells.flatMap(({ name, training }) => (training?.privacy ?? []).map((text) => [name, text] as const));
  if (told.length === 0) return undefined;
  return html`<section aria-labelledby="privacy"><h2 id="privacy">What the defences promise</h2>
<table class="ledger"><tbody>${told.map(([name, text]) => html`<tr><th scope="row">${name}</th><td>${text}</td></tr>`)}</tbody></table></section>`;
}

function listSection(id: string, title: string, sentences: readonly string[]): Html {
  return html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
<ul>${sentences.map((sentence) => html`<li>${sentence}</li>`)}</ul></section>`;
}

/** Every cell and trial without an ordinary end, with the reason. */
function failuresSection({ cells }: Tradeoff): Html | undefined {
  const failed = cells.flatMap(({ name, failure, trials }) => [
    ...(failure === undefined ? [] : [[name, failure] as const]),
    ...trials.flatMap((trial) =>
      trial.failure === undefined ? [] : [[`${name} ${trial.id}`, trial.failure] as const],
    ),
  ]);
  if (failed.length === 0) return undefined;
  return html`<section aria-labelledby="failures"><h2 id="failures">What failed</h2>
<table class="ledger"><tbody>${failed.map(([name, text]) => html`<tr><th scope="row">${name}</th><td>${text}</td></tr>`)}</tbody></table></section>`;
}

function againSection({ command, versions }: Tradeoff): Html {
  const told = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return html`<section aria-labelledby="again"><h2 id="again">Run it again</h2>
<pre tabindex="0" aria-label="command"><code>${command}</code></pre>
<p>The record and report of each training and each attack, with everything they assume, lie in cells. ${told.join(", ")}.</p></section>`;
}
