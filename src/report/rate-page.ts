import type { RatePage } from "../audit/index.ts";
import { checkDataUrls } from "./data-url.ts";
import { html, raw } from "./html.ts";
import { pageOf } from "./page.ts";
import { RATE_SCRIPT } from "./rate-script.ts";
import { RATE_STYLE } from "./rate-style.ts";

/**
 * The page on which a person says which private image each reconstruction shows, as one HTML file that needs nothing else.
 *
 * It asks one question after another, by mouse or keys, and at the end saves the answers as a JSON file. It asks nobody for
 * anything, and does not know which answers are right. The same input gives the same text; everything shown is escaped.
 * Throws FedleakError when a picture is no data URL.
 */
export function renderRatePage({ title, seed, sheet, originals, questions }: RatePage): string {
  checkDataUrls([...originals, ...questions.map(({ reconstruction }) => reconstruction)]);
  const candidates = questions[0]?.candidates.length ?? 0;
  return pageOf({
    title: `Which image is it? ${title}`,
    style: RATE_STYLE,
    allows: ["pictures", "script"],
    body: html`<header>
<p class="brand">fedleak rate<span>${title}</span></p>
<h1>Which image is it?</h1>
<p>An attack rebuilt the first picture from a client's update. One of the ${candidates} private images beside it is the one that it
shows: choose that one. There are ${questions.length} questions; guess where you can, and say so where you cannot tell.</p>
</header>
<main>
<p id="progress" role="status"></p>
<div id="question">
<figure id="rebuilt"><img alt="The reconstruction"><figcaption>rebuilt</figcaption></figure>
<div id="candidates" role="group" aria-label="Private images to choose from"></div>
</div>
<p class="actions">
<button type="button" id="unsure">I cannot tell <kbd>0</kbd></button>
<button type="button" id="back">Back <kbd>←</kbd></button>
</p>
<form id="save" hidden>
<label>Your name or initials <input id="rater" name="rater" autocomplete="off" required maxlength="60"></label>
<button type="submit">Save the answers</button>
<p>Then: <code>fedleak rate RUN --votes FILE…</code> with one file for each person.</p>
</form>
<noscript>This page asks its questions with a script, which your browser does not run.</noscript>
</main>
<footer><strong>This file contains the private images of the audited batch.</strong> Keep it as you keep them.</footer>
<script type="application/json" id="sheet">${raw(json({ seed, candidates, sheet, originals, questions }))}</script>
<script>${raw(RATE_SCRIPT)}</script>`,
  });
}

/** JSON that cannot end the element it stands in. */
function json(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}
