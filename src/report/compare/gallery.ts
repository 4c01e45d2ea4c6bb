import { fail } from "../../util/index.ts";
import { dbText } from "../format.ts";
import { type Html, html } from "../html.ts";
import type { Cell } from "./cells.ts";

/** The private images in the first row and what each attack made of them in the rows below, best attack first. */
export function gallery({ pictures, lines }: Cell): Html | undefined {
  if (pictures === undefined) return undefined;
  const { originals, attacks, seed, batchSize } = pictures;
  const missing = lines.map(({ attack }) => attack).filter((name) => !attacks.some(({ attack }) => attack === name));
  const rest = batchSize > originals.length ? `, the first ${originals.length} of ${batchSize}` : "";
  return html`<h3>Pictures of seed ${seed}${rest}</h3>
<div class="scroll" tabindex="0" role="region" aria-label="pictures"><table class="gallery">
<tbody>
<tr><th scope="row">private</th>${originals.map((url, i) => html`<td>${image(url, `Private image ${i}`)}</td>`)}</tr>
${attacks.map(
  ({ attack, images, psnrDb }) =>
    html`<tr><th scope="row">${attack}</th>${images.map((url, i) => html`<td>${image(url, `Private image ${i} as ${attack} rebuilt it`)}<small>${dbText(psnrDb[i]!)}</small></td>`)}</tr>`,
)}
</tbody></table></div>
${missing.length > 0 && html`<p class="note">No picture of this seed: ${missing.join(", ")}.</p>`}`;
}

/** Only pictures that carry their own data may enter the page: it must not ask anybody for anything. */
function image(url: string, alt: string): Html {
  if (!/^data:image\/png;base64,[A-Za-z0-9+/]+=*$/.test(url)) {
    fail({
      who: "comparison report",
      must: "pictures must be data URLs of PNG in base64",
      got: `"${url.slice(0, 40)}"`, // 40: enough to recognise it
      remedy: "Encode the picture first.",
    });
  }
  return html`<img src="${url}" alt="${alt}">`;
}
