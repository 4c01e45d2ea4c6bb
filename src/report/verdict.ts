import type { RunRecord, RunResults } from "../audit/index.ts";
import { highestFloor, ownFloors } from "./floor-list.ts";
import { dbText, durationText, percentText, plural } from "./format.ts";
import { identifiedSentence, recognised } from "./identified.ts";
import { rowHeadline, rowSentences } from "./row-verdict.ts";

/** The result in plain words. */
export interface Verdict {
  readonly headline: string;
  readonly sentences: readonly string[];
}

const NEAR_EXACT_DB = 30; // our choice: a mean squared error under 0.001, hard to tell from the original by eye
const CLEAR_DB = 3; // our choice: 3 dB is half the squared error
const SLIGHT_DB = 1; // our choice: 1 dB is a fifth less squared error; under it we do not speak of a difference

/** How the words of the verdict follow from the numbers, for the reader. */
export const VERDICT_RULE =
  `"Almost exactly" means a mean of ${NEAR_EXACT_DB} dB or more; "in part" means ${CLEAR_DB} dB or more above the highest floor ` +
  `(half its squared error or less), "slightly" ${SLIGHT_DB} dB or more. "Still" means that more images can be told from others ` +
  `than guessing would find, by the 95 % interval. These limits are our choice.`;

/** Says how close the reconstructions came, measured against what a blank or average picture would score. */
export function verdict(record: RunRecord): Verdict {
  const { results } = record;
  if (results === undefined) return unscored(record);
  return results.table === undefined ? scored(record, results) : scoredRows(record, results.table);
}

/** Of a table it is the cells that count. */
function scoredRows(record: RunRecord, table: NonNullable<RunResults["table"]>): Verdict {
  return {
    headline: rowHeadline(table),
    sentences: [
      ...(record.status === "finished" ? [] : [`${stateWords(record)} What follows was scored before that.`]),
      ...rowSentences(table),
      OTHER_ATTACKS,
    ],
  };
}

const OTHER_ATTACKS =
  "This is what this attack reached with these settings on this batch; another attack may reach more or less.";

function scored(record: RunRecord, results: RunResults): Verdict {
  const floor = highestFloor(results.floors);
  const margin = results.psnrDb.oneToOne - floor.psnrDb;
  const count = results.pairs.oneToOne.length;
  const standouts = imagesAbove(results, CLEAR_DB);
  const reached = count === 1 ? "The reconstruction reaches" : "Paired one-to-one, the reconstructions reach a mean of";
  const over = count === 1 ? "" : ` over ${plural(count, "image")}`;
  return {
    headline: headline(results.psnrDb.oneToOne, margin, standouts, count) + stillKnown(results, margin),
    sentences: [
      ...(record.status === "finished" ? [] : [`${stateWords(record)} What follows was scored before that.`]),
      `${reached} ${dbText(results.psnrDb.oneToOne)}${over}: ${dbText(Math.abs(margin))} ` +
        `${margin >= 0 ? "above" : "below"} the highest floor (${floor.name}, ${dbText(floor.psnrDb)}).`,
      `Image by image, ${percentText(results.leakage.oneToOne.share)} of the best floor's squared error is gone.`,
      ...(count === 1 ? [] : spreadSentences(results, standouts)),
      ...[identifiedSentence(results)].filter((sentence) => sentence !== undefined),
      ...(margin < CLEAR_DB
        ? ["Look at the pictures too: an eye may recognise what a mean of squared errors does not."]
        : []),
      OTHER_ATTACKS,
    ],
  };
}

function headline(psnrDb: number, margin: number, standouts: number | undefined, count: number): string {
  const privateImages = count === 1 ? "The private image was" : "The private images were";
  if (psnrDb >= NEAR_EXACT_DB && margin >= CLEAR_DB) return `${privateImages} rebuilt almost exactly.`;
  if (margin >= CLEAR_DB) return `${privateImages} rebuilt in part.`;
  const closer = `${margin >= SLIGHT_DB ? "slightly" : "no"} closer than a blank or average picture`;
  if (count === 1) return `The reconstruction comes ${closer}.`;
  const average = `On average the reconstructions come ${closer}`;
  if (standouts === undefined || standouts === 0) return `${average}.`;
  return `${average}, but ${standouts} of ${count} stand${standouts === 1 ? "s" : ""} out.`;
}

/** What the headline must add where squared error sees little and the images can be recognised all the same. */
function stillKnown(results: RunResults, margin: number): string {
  const found = margin >= CLEAR_DB ? undefined : recognised(results);
  if (found === undefined) return "";
  const count = results.pairs.oneToOne.length;
  return count === 1 ? " Still, it can be told from others." : ` Still, ${found} of ${count} can be told from others.`;
}

/** Which image is most exposed, and how many are: a mean may hide one. */
function spreadSentences({ pairs }: RunResults, standouts: number | undefined): string[] {
  const ranked = [...pairs.oneToOne].sort((a, b) => b.psnrDb - a.psnrDb);
  const [most, least] = [ranked[0]!, ranked.at(-1)!];
  return [
    `Most exposed is image ${most.trueIndex} at ${dbText(most.psnrDb)}, least exposed image ${least.trueIndex} at ${dbText(least.psnrDb)}.`,
    ...(standouts === undefined
      ? []
      : [
          `${standouts} of ${plural(ranked.length, "image")} lie${standouts === 1 ? "s" : ""} ${CLEAR_DB}\u00a0dB or more above their own highest floor.`,
        ]),
  ];
}

/** How many true images score `marginDb` or more above each floor that stores values per image; undefined if none does. */
function imagesAbove({ floors, pairs }: RunResults, marginDb: number): number | undefined {
  const own = ownFloors(floors);
  return own && pairs.oneToOne.filter((pair) => pair.psnrDb - own[pair.trueIndex]! >= marginDb).length;
}

function unscored(record: RunRecord): Verdict {
  const last = record.curve.at(-1);
  const progress = last
    ? `It had done ${plural(last.iteration, "iteration")} in ${durationText(last.seconds)}; no reconstruction was scored.`
    : "No iteration was recorded.";
  return {
    headline: stateWords(record),
    sentences: record.failure ? [`Reason: ${record.failure}`, progress] : [progress, ...nextStep(record)],
  };
}

function stateWords({ status }: RunRecord): string {
  const words = {
    running: "The run is still going.",
    finished: "The run is finished.",
    interrupted: "The run was interrupted.",
    failed: "The run failed.",
  };
  return words[status];
}

function nextStep({ status }: RunRecord): string[] {
  return status === "interrupted" ? ["Continue it with: fedleak resume, followed by the run's folder."] : [];
}
