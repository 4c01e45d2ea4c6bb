import type { AuditPictures, AuditRecord } from "../../audit/index.ts";
import { checkDataUrls } from "../data-url.ts";
import { dbText } from "../format.ts";
import { type Html, html } from "../html.ts";
import { className } from "./labels.ts";

/** A card an image: what the best search found, beside the private image where there is one, and what the others made of it. */
export function auditPictures(record: AuditRecord, pictures: AuditPictures): Html | undefined {
  checkDataUrls([...pictures.truth, ...Object.values(pictures.rows).flat()]);
  const { confidence } = record;
  const best = confidence?.best ?? Object.keys(pictures.rows)[0];
  const found = best === undefined ? undefined : pictures.rows[best];
  if (best === undefined || found === undefined) return undefined;
  const others = Object.entries(pictures.rows).filter(([name]) => name !== best);
  return html`<section aria-labelledby="pictures">
<h2 id="pictures">What was found</h2>
<p>${others.length > 0 ? "Large the search of least residual, small the same image as the other searches have it, paired one-to-one. The control's are what the same search makes of an update of nobody." : "As it was solved for."}
${pictures.truth.length > 0 && "Left the private image, which no search has seen."}</p>
<ol class="pairs${found.length < 3 && " few"}">${found.map((url, i) => card(record, pictures, { best, others, url, i }))}</ol>
</section>`;
}

interface Card {
  readonly best: string;
  readonly others: readonly (readonly [name: string, urls: readonly string[]])[];
  readonly url: string;
  readonly i: number;
}

function card(record: AuditRecord, { truth }: AuditPictures, { best, others, url, i }: Card): Html {
  const { confidence, scores } = record;
  const pair = scores?.pairs.oneToOne.find(({ reconstructionIndex }) => reconstructionIndex === i);
  const real = pair && truth[pair.trueIndex];
  const told = confidence?.agreement[i];
  const label = record.rows.find(({ name }) => name === best)?.labels[i];
  const trueLabel = pair && scores?.labels?.trueLabels[pair.trueIndex];
  const shown = (one: number | undefined) => (one === undefined ? "no label" : className(record, one));
  return html`<li class="pair">
<div class="${real === undefined ? "one" : "two"}">
${real !== undefined && html`<figure><img src="${real}" alt="Private image ${pair!.trueIndex}"><figcaption>private ${pair!.trueIndex}</figcaption></figure>`}
<figure><img src="${url}" alt="Image ${i} as ${best} found it"><figcaption>${best}, image ${i}</figcaption></figure>
</div>
${pair && html`<p class="score"><strong>${dbText(pair.psnrDb)}</strong><span>PSNR</span></p>`}
${told && html`<p class="agreement ${told.agrees ? "yes" : "no"}">${told.agrees ? "agrees" : "does not agree"}<small>${dbText(told.meanDb)} between searches, its floor ${dbText(told.floorDb)}</small></p>`}
<p class="label">${trueLabel !== undefined && html`${shown(trueLabel)}<span class="arrow" aria-label="${record.labels.granted ? "given as" : "inferred as"}">→</span>`}${shown(label)}</p>
${
  others.length > 0 &&
  html`<ul class="others">${others.map(
    ([name, urls]) =>
      urls[i] !== undefined &&
      html`<li><img src="${urls[i]!}" alt="Image ${i} as ${name} has it"><small>${name}</small></li>`,
  )}</ul>`
}
</li>`;
}
