import type { RunResults } from "../audit/index.ts";
import { compactText, countText, dbText, durationText, percentText, ssimText } from "./format.ts";
import { type Html, html } from "./html.ts";

/** The headline numbers side by side, each with what it means. */
export function factsSection(results: RunResults): Html {
  const { psnrDb, ssim, mse, labels, seconds, iterations, evaluations } = results;
  const facts: readonly (readonly [name: string, value: string, detail: string])[] = [
    ["PSNR, one-to-one", dbText(psnrDb.oneToOne), intervalText(results.psnrInterval95Db.oneToOne)],
    ["PSNR, many-to-one", dbText(psnrDb.manyToOne), intervalText(results.psnrInterval95Db.manyToOne)],
    ["SSIM, one-to-one", ssimText(ssim.oneToOne), `many-to-one ${ssimText(ssim.manyToOne)}`],
    ["MSE, one-to-one", compactText(mse.oneToOne), `many-to-one ${compactText(mse.manyToOne)}`],
    [
      labels.granted ? "Labels, given" : "Labels, inferred",
      percentText(labels.countAccuracy),
      labels.exact ? "exactly the private labels" : "of the private labels, counted per class",
    ],
    ["Cost", durationText(seconds), `${countText(iterations)} iterations, ${countText(evaluations)} gradients`],
  ];
  return html`<dl class="facts">${facts.map(
    ([name, value, detail]) =>
      html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${detail}</span></dd></div>`,
  )}</dl>`;
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval === null
    ? "one image: no interval"
    : `95 % interval ${dbText(interval[0])} to ${dbText(interval[1])}`;
}
