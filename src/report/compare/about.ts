import type { Comparison } from "../../audit/index.ts";
import { type Html, html } from "../html.ts";
import { seedText } from "./files.ts";

/** What makes the comparison fair, and what its numbers assume. */
export function termsSection({ plan }: Comparison): Html {
  const terms: readonly (readonly [name: string, text: string])[] = [
    [
      "same data",
      `At one seed every attack sees the update of the same private batch under the same weights. The seeds: ${seedText(plan)}. Each has other starts.`,
    ],
    [
      "same budget",
      "A trial may use so many gradient evaluations of the audited model, never so many iterations: an attack that evaluates twice an iteration gets half of them. An attack that needs fewer stops earlier.",
    ],
    [
      "scoring",
      "One-to-one, every reconstruction used at most once, is the headline; many-to-one stands beside it. Nothing was chosen by looking at the private images.",
    ],
    [
      "curves",
      "PSNR along the way was peeked at for the figures only. No attack sees it and it chooses nothing: each trial's score is that of its last iterate. Seconds include the peeks.",
    ],
    [
      "intervals",
      "95 %, by the bootstrap over seeds and, within them, images. A difference to the reference is taken image by image first. Over few values they are too short: over 4 they hold the mean in about 80 % of cases.",
    ],
    [
      "failures",
      "A trial that failed on its way counts with its last finite iterate and is told; one that has no score is in no mean and is told.",
    ],
    [
      "floor",
      plan.mismatchedFloor
        ? "The highest of a blank picture, average pictures, and the same attack on another batch's update."
        : "The highest of a blank picture and average pictures; the attack on another batch's update was not measured (--mismatched-floor).",
    ],
  ];
  return html`<section aria-labelledby="terms">
<h2 id="terms">How it was compared</h2>
<table class="ledger"><tbody>${terms.map(([name, text]) => html`<tr><th scope="row">${name}</th><td>${text}</td></tr>`)}</tbody></table>
</section>`;
}

/** What was compared: settings, attacks with what differs from their presets, and how to run it again. */
export function planSection({ plan, command, versions }: Comparison): Html {
  const group = (title: string, rows: readonly (readonly [string, string])[]) =>
    html`<table><caption>${title}</caption><tbody>${rows.map(
      ([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
    )}</tbody></table>`;
  const settings = plan.settings.map(({ name, about: _, ...entries }) => group(`setting ${name}`, flatten(entries)));
  const attacks = plan.attacks.map(({ as, name, settings: own, ...entries }) =>
    group(as, [["attack", name], ...flatten({ ...entries, ...own })]),
  );
  const run = group("trials", [
    ["seeds", plan.seeds.join(", ")],
    ["evaluations", plan.batches.map(({ size, evaluations }) => `${evaluations} at batch ${size}`).join(", ")],
    ["device", plan.device],
    ["threads", plan.threads === 0 ? "one a core" : `${plan.threads}`],
    ...Object.entries(versions).map(([name, version]) => [name, String(version)] as const),
  ]);
  return html`<section aria-labelledby="plan">
<h2 id="plan">Run it again</h2>
<pre tabindex="0" aria-label="command"><code>${command}</code></pre>
<p>Entries that are not listed have the defaults of an ordinary run; each trial's own report, in trials, names all of them with their origin.</p>
<div class="groups">${settings}${attacks}${run}</div>
</section>`;
}

/** Every trial without an ordinary end, with the reason. */
export function failuresSection({ rows }: Comparison): Html | undefined {
  const failed = rows.filter(({ failure }) => failure !== undefined);
  if (failed.length === 0) return undefined;
  return html`<section aria-labelledby="failures">
<h2 id="failures">Trials that failed</h2>
<table class="ledger"><tbody>${failed.map(({ id, failure }) => html`<tr><th scope="row">${id}</th><td>${failure}</td></tr>`)}</tbody></table>
</section>`;
}

/** Nested entries as dotted names and printed values. */
function flatten(value: unknown, name = ""): (readonly [name: string, value: string])[] {
  if (Array.isArray(value)) return [[name, value.join(", ")]];
  if (typeof value !== "object" || value === null) return [[name, String(value)]];
  return Object.entries(value).flatMap(([key, inner]) => flatten(inner, name === "" ? key : `${name}.${key}`));
}
