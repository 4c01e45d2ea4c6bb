import type { RunResults } from "../audit/index.ts";
import { floorList, highestFloor } from "./floor-list.ts";
import { compactText, countText, dbText, durationText, percentText, signedDbText, ssimText } from "./format.ts";
import { type Html, html } from "./html.ts";
import { measureName } from "./identified.ts";

/** The headline numbers side by side, each with what it means. */
export function factsSection(results: RunResults): Html {
  const facts = [...(results.table ? rowFacts(results.table) : imageFacts(results)), ...runFacts(results)];
  return html`<dl class="facts">${facts.map(
    ([name, value, detail]) =>
      html`<div><dt>${name}</dt><dd><strong>${value}</strong><span>${detail}</span></dd></div>`,
  )}</dl>`;
}

type Fact = readonly [name: string, value: string, detail: string];

function imageFacts(results: RunResults): Fact[] {
  const { psnrDb, ssim, mse } = results;
  return [
    ["PSNR, one-to-one", dbText(psnrDb.oneToOne), intervalText(results.psnrInterval95Db.oneToOne)],
    ["PSNR, many-to-one", dbText(psnrDb.manyToOne), intervalText(results.psnrInterval95Db.manyToOne)],
    leakageFact(results),
    ["SSIM, one-to-one", ssimText(ssim.oneToOne), `many-to-one ${ssimText(ssim.manyToOne)}`],
    msSsimFact(results),
    ["MSE, one-to-one", compactText(mse.oneToOne), `many-to-one ${compactText(mse.manyToOne)}`],
    distanceFact("LPIPS, one-to-one", results.lpips, results.notMeasured.lpips),
    distanceFact("Features, one-to-one", results.featureDistance, results.notMeasured["feature-distance"]),
    identifiedFact(results),
  ];
}

/** Of a table: its cells and what guessing finds of them. */
function rowFacts({
  matchRate,
  interval95,
  floors,
  wholeRows,
  rows,
  floorsFrom,
}: NonNullable<RunResults["table"]>): Fact[] {
  const range = interval95 && `95 % interval ${percentText(interval95[0])} to ${percentText(interval95[1])}`;
  return [
    ["Cells that match", percentText(matchRate), range ?? "one row: no interval"],
    ["Guessing the most frequent", percentText(floors.marginal), `from ${floorsFrom}`],
    ["Drawn guesses", percentText(floors.drawn), "paired as the reconstruction is"],
    ["Whole rows", `${Math.round(wholeRows * rows.length)} of ${rows.length}`, "every cell matches"],
  ];
}

function runFacts({ labels, seconds, iterations, evaluations }: RunResults): Fact[] {
  return [
    [
      labels.granted ? "Labels, given" : "Labels, inferred",
      percentText(labels.countAccuracy),
      labels.exact ? "exactly the private labels" : "of the private labels, counted per class",
    ],
    ["Cost", durationText(seconds), `${countText(iterations)} iterations, ${countText(evaluations)} gradients`],
  ];
}

function leakageFact({ leakage, floors }: RunResults): Fact {
  const { oneToOne, manyToOne } = leakage;
  return [
    "Above the highest floor",
    signedDbText(oneToOne.aboveFloorDb),
    `${highestFloor(floors).name}; ${percentText(oneToOne.share)} of the best floor's squared error is gone, image by image ` +
      `(many-to-one ${signedDbText(manyToOne.aboveFloorDb)}, ${percentText(manyToOne.share)})`,
  ];
}

function msSsimFact({ msSsim, floors }: RunResults): Fact {
  const highest = floorList(floors).reduce<number | null>(
    (best, { msSsim: value }) => (value === null ? best : Math.max(value, best ?? value)),
    null,
  );
  return [
    "MS-SSIM, one-to-one",
    ssimText(msSsim.oneToOne),
    `many-to-one ${ssimText(msSsim.manyToOne)}; highest floor ${ssimText(highest)}`,
  ];
}

/** A distance, where less is closer: its floors are the lowest of theirs. */
function distanceFact(name: string, measured: RunResults["lpips"], why: string | undefined): Fact {
  if (measured === null) return [name, "–", `not measured: ${why}`];
  const lowest = Math.min(...Object.values(measured.floors).filter((value) => value !== undefined));
  const { oneToOne, manyToOne } = measured.mean;
  return [
    name,
    compactText(oneToOne),
    `less is closer; many-to-one ${compactText(manyToOne)}; lowest floor ${compactText(lowest)}`,
  ];
}

function identifiedFact({ identification, notMeasured }: RunResults): Fact {
  const best = identification?.by[0];
  if (!identification || !best) return ["Identified", "–", `not measured: ${notMeasured.identification}`];
  const found = best.identified.oneToOne.filter(Boolean).length;
  const [low, high] = best.interval95.oneToOne;
  return [
    "Identified",
    `${found} of ${best.identified.oneToOne.length}`,
    `told from ${identification.distractors} other images each, by ${measureName(best.measure)}; ` +
      `guessing finds ${percentText(identification.chance)}, 95 % interval ${percentText(low)} to ${percentText(high)}`,
  ];
}

function intervalText(interval: readonly [number, number] | null): string {
  return interval === null
    ? "one image: no interval"
    : `95 % interval ${dbText(interval[0])} to ${dbText(interval[1])}`;
}
