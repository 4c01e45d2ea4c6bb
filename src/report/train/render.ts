import type { TrainRecord } from "../../audit/index.ts";
import { countText, durationText, percentText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { DrawingDocument } from "../line-chart.ts";
import { blankDocument, pageOf } from "../page.ts";
import { STYLE } from "../style.ts";
import { ledgerSection } from "../tables.ts";
import { trainCurves } from "./curves.ts";
import { partitionPicture } from "./partition-picture.ts";

/**
 * The report of a training as one HTML file that needs nothing else: no script, no request.
 *
 * record: a checked record. document: where the charts are drawn; a browser passes its own. The same input gives the same
 * text. Everything from the record is escaped.
 */
export function renderTraining(record: TrainRecord, document: DrawingDocument = blankDocument()): string {
  const title = titleOf(record);
  return pageOf({
    title,
    style: STYLE + OWN_STYLE,
    allows: ["pictures"],
    body: html`<header>
<p class="brand">fedleak training<span class="status ${record.status}">${record.status}</span></p>
<p class="run">${title} · <time datetime="${record.startedAt}">${record.startedAt.slice(0, 16).replace("T", " ")} UTC</time></p>
<h1>${headline(record)}</h1>
${record.failure !== undefined && html`<p class="lead">${record.failure}</p>`}
${facts(record)}
</header>
<main>
${trainCurves(record, document)}
${partitionSection(record, document)}
${ledgerSection(record)}
<section aria-labelledby="reproduce"><h2 id="reproduce">Run it again</h2>
<pre tabindex="0" aria-label="command"><code>${record.command}</code></pre></section>
</main>
<footer><p>Accuracy is the share of images classified rightly, BatchNorm by its running statistics. Intervals are Wilson's, over images;
another seed may train to another accuracy.</p></footer>`,
  });
}

const OWN_STYLE = `
.class { display: inline-block; margin-right: 12px; white-space: nowrap; }
.class i { display: inline-block; width: 10px; height: 10px; margin-right: 5px; border-radius: 2px; }
`;

/** `fedavg of resnet10 on train_1.bin.gz`, from what the spec names. */
function titleOf({ spec, data }: TrainRecord): string {
  const model = (spec.model as { readonly name?: string } | undefined)?.name;
  return `${spec.training} training of ${model}, ${data.source}`;
}

/** The best measurement there is, in one sentence. */
function headline({ results, curve, unit, status }: TrainRecord): string {
  const last = curve.findLast((point) => point.accuracy !== undefined);
  const accuracy = results?.open.accuracy ?? last?.accuracy;
  const done = results?.done ?? curve.at(-1)?.done ?? 0;
  const length = `${countText(done)} ${unit}${done === 1 ? "" : "s"}`;
  if (accuracy === undefined) return `Stopped after ${length}, before the accuracy was measured`;
  return `${percentText(rounded(accuracy))} of public images are classified rightly after ${length}${status === "finished" ? "" : ", not the end"}`;
}

function facts({ results, data, curve, unit }: TrainRecord): Html {
  const seconds = results?.seconds ?? curve.at(-1)?.seconds ?? 0;
  const done = results?.done ?? curve.at(-1)?.done ?? 0;
  const rows: readonly (readonly [string, string, string])[] = [
    ...(results ? [accuracyFact("public split", results.open)] : []),
    ...(results?.test ? [accuracyFact("test set", results.test)] : []),
    ["trained on", countText(data.closed), "images"],
    ["time", durationText(seconds), done === 0 ? "" : `${durationText(seconds / done)} a ${unit}`],
  ];
  return html`<dl class="facts">${rows.map(
    ([name, value, note]) => html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${note}</span></dd></div>`,
  )}</dl>`;
}

/** `75 %`, and beside it the images, the interval and what naming one class scores. */
function accuracyFact(
  name: string,
  { accuracy, images, interval95, majorityFloor }: Measured,
): [string, string, string] {
  const notes = [
    `of ${countText(images)} images`,
    ...(interval95 ? [`95 %: ${percentText(rounded(interval95[0]))} to ${percentText(rounded(interval95[1]))}`] : []),
    ...(majorityFloor === undefined ? [] : [`the commonest class alone: ${percentText(rounded(majorityFloor))}`]),
  ];
  return [name, percentText(rounded(accuracy)), notes.join("; ")];
}

type Measured = NonNullable<TrainRecord["results"]>["open"];

function partitionSection({ data }: TrainRecord, document: DrawingDocument): Html | undefined {
  if (data.counts.length === 0) return undefined;
  return html`<section aria-labelledby="partition">
<h2 id="partition">Who has which images</h2>
${partitionPicture(document, data)}
</section>`;
}

/** To a tenth of a percent. */
function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}
