import type { Assumption, RunRecord } from "../audit/index.ts";
import { type Html, html } from "./html.ts";

const ORIGINS: Readonly<Record<Assumption["origin"], string>> = {
  paper: "stated in the attack's paper",
  release: "taken from the authors' released code",
  source: "taken from another cited source",
  "our-choice": "no source says; fedleak chose",
  user: "set on the command line or in the spec",
  measured: "found in the data or the model",
};

/** Everything the numbers assume, with who says so. */
export function ledgerSection({ ledger }: Pick<RunRecord, "ledger">): Html {
  const used = Object.entries(ORIGINS).filter(([origin]) => ledger.some((entry) => entry.origin === origin));
  return html`<section aria-labelledby="ledger">
<h2 id="ledger">What the numbers assume</h2>
${
  ledger.length === 0
    ? html`<p>The run stopped before its assumptions were settled.</p>`
    : html`<table class="ledger">
<thead><tr><th scope="col">Assumption</th><th scope="col">Value</th><th scope="col">Origin</th></tr></thead>
<tbody>${ledger.map(
        ({ assumption, value, origin, note }) =>
          html`<tr><th scope="row">${assumption}</th><td>${value}${note !== undefined && html`<small>${note}</small>`}</td><td><span class="origin ${origin}">${origin}</span></td></tr>`,
      )}</tbody>
</table>
<dl class="legend">${used.map(([origin, meaning]) => html`<div><dt><span class="origin ${origin}">${origin}</span></dt><dd>${meaning}</dd></div>`)}</dl>`
}
</section>`;
}

/** The completed options of the run, one group per part of the spec. */
export function settingsSection({ spec }: RunRecord): Html {
  const { attack, model, data, client, device, threads, seed, ...rest } = spec;
  const groups: readonly (readonly [title: string, settings: unknown])[] = [
    ["attack", { name: attack.name, ...attack.settings }],
    ["model", model],
    ["data", data],
    ["client", client],
    ["run", { device, threads, seed }],
    ...Object.entries(rest),
  ];
  return html`<section aria-labelledby="settings">
<h2 id="settings">Settings</h2>
<div class="groups">${groups.map(
    ([title, settings]) => html`<table>
<caption>${title}</caption>
<tbody>${flatten(settings).map(([name, value]) =>
      name === ""
        ? html`<tr><td colspan="2">${value}</td></tr>`
        : html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`,
    )}</tbody>
</table>`,
  )}</div>
</section>`;
}

/** The command that made the record, the seeds and the versions it ran with. */
export function reproduceSection({ command, versions, seeds }: RunRecord): Html {
  const rows = (entries: Readonly<Record<string, string | number | undefined>>) =>
    Object.entries(entries)
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => html`<tr><th scope="row">${name}</th><td>${value}</td></tr>`);
  return html`<section aria-labelledby="reproduce">
<h2 id="reproduce">Run it again</h2>
<pre tabindex="0" aria-label="command"><code>${command}</code></pre>
<div class="groups">
<table><caption>versions</caption><tbody>${rows(versions)}</tbody></table>
<table><caption>seeds</caption><tbody>${rows(seeds)}</tbody></table>
</div>
</section>`;
}

/** Nested settings as dotted names and printed values; lists of plain values stay in one line. */
function flatten(value: unknown, name = ""): (readonly [name: string, value: string])[] {
  if (typeof value !== "object" || value === null) return [[name, String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== "object" || item === null)) {
    return [[name, value.length === 0 ? "none" : value.join(", ")]];
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return [[name, "none"]];
  return entries.flatMap(([key, inner]) => flatten(inner, name === "" ? key : `${name}.${key}`));
}
