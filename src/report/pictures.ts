import type { RunRecord, RunResults } from "../audit/index.ts";
import { fail } from "../util/index.ts";
import { checkDataUrls } from "./data-url.ts";
import { ownFloors } from "./floor-list.ts";
import { dbText, ssimText } from "./format.ts";
import { type Html, html } from "./html.ts";

/** The pictures of a run as PNG data URLs. */
export interface Pictures {
  /** In the order of the true batch. */
  readonly originals: readonly string[];
  /** In the order of the reconstructions. */
  readonly reconstructions: readonly string[];
}

/** Every private image beside its reconstruction; before scoring, the pictures as they are. */
export function picturesSection({ results }: RunRecord, pictures: Pictures): Html | undefined {
  checkDataUrls([...pictures.originals, ...pictures.reconstructions]);
  if (results === undefined) return unpaired(pictures);
  checkCount(results, pictures);
  return html`<section aria-labelledby="pictures">
<h2 id="pictures">Private images and their reconstructions</h2>
<p>Left the private image, right its reconstruction, paired one-to-one: every reconstruction is used at most once.
The line below each pair is the many-to-one choice: the closest reconstruction, which several images may share.</p>
<ol class="pairs${pictures.originals.length < 3 && " few"}">${results.pairs.oneToOne.map((_, i) => pairItem(results, pictures, i))}</ol>
</section>`;
}

function pairItem(results: RunResults, { originals, reconstructions }: Pictures, i: number): Html {
  const own = results.pairs.oneToOne[i]!;
  const best = results.pairs.manyToOne[i]!;
  const label = labelText(results.labels, results.labels.trueLabels[i]);
  const floor = ownFloors(results.floors)?.[i];
  const guess = labelText(results.labels, results.labels.inferredLabels[own.reconstructionIndex]);
  return html`<li class="pair">
<div class="two">
<figure><img src="${originals[i]!}" alt="Private image ${i}, label ${label}"><figcaption>private ${i}</figcaption></figure>
<figure><img src="${reconstructions[own.reconstructionIndex]!}" alt="Reconstruction ${own.reconstructionIndex}, paired with private image ${i}"><figcaption>rebuilt ${own.reconstructionIndex}</figcaption></figure>
</div>
<p class="score"><strong>${dbText(own.psnrDb)}</strong><span>SSIM ${ssimText(own.ssim)}</span></p>
${floor !== undefined && html`<p class="own">its highest floor ${dbText(floor)}</p>`}
<p class="label">${label}<span class="arrow" aria-label="${results.labels.granted ? "given as" : "inferred as"}">→</span>${guess}</p>
<p class="best">${
    best.reconstructionIndex === own.reconstructionIndex
      ? html`<span>many-to-one: the same, ${dbText(best.psnrDb)}</span>`
      : html`<img src="${reconstructions[best.reconstructionIndex]!}" alt="Reconstruction ${best.reconstructionIndex}, the closest to private image ${i}"><span>many-to-one: ${best.reconstructionIndex}, ${dbText(best.psnrDb)}, SSIM ${ssimText(best.ssim)}</span>`
  }</p>
</li>`;
}

function labelText({ classNames }: RunResults["labels"], label: number | undefined): string {
  if (label === undefined) return "no label";
  const name = classNames?.[label];
  return name === undefined ? `class ${label}` : `${name} (${label})`;
}

function unpaired(pictures: Pictures): Html | undefined {
  const strips = (
    [
      ["Private images", "Private image", pictures.originals],
      ["Reconstructions so far, not paired", "Reconstruction", pictures.reconstructions],
    ] as const
  ).filter(([, , urls]) => urls.length > 0);
  if (strips.length === 0) return undefined;
  return html`<section aria-labelledby="pictures">
<h2 id="pictures">Pictures</h2>
${strips.map(
  ([title, noun, urls]) => html`<h3>${title}</h3>
<ol class="strip">${urls.map((url, i) => html`<li><img src="${url}" alt="${noun} ${i}"></li>`)}</ol>`,
)}
</section>`;
}

function checkCount(results: RunResults, { originals, reconstructions }: Pictures): void {
  const rows = [...results.pairs.oneToOne, ...results.pairs.manyToOne];
  const needed = Math.max(...rows.map((row) => row.reconstructionIndex)) + 1;
  const count = results.pairs.oneToOne.length;
  if (originals.length !== count || reconstructions.length < needed) {
    fail({
      who: "report",
      must: `the record's pairs need ${count} originals and at least ${needed} reconstructions`,
      got: `${originals.length} and ${reconstructions.length}`,
      remedy: "Pass the pictures of this run.",
    });
  }
}
