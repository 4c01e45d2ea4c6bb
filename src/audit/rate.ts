import { join } from "node:path";
import { encodePng, readBytes } from "../data/index.ts";
import { readSafetensors, row, type Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { readEarlierRating, setRatingAside, withEarlier } from "./rate-earlier.ts";
import { type RateSheet, rateSheet } from "./rate-sheet.ts";
import { parseVotes, type Rating, rateVotes, type Votes } from "./rate-votes.ts";
import { parseRecord } from "./record.ts";
import type { RunRecord, RunResults } from "./record-schema.ts";
import { FILES, readRunFile } from "./run-folder.ts";
import { writeWhole } from "./write-file.ts";

/** What the page shows: pictures as PNG data URLs, and which of them each question needs. It does not know the answers. */
export interface RatePage {
  /** The run in words. */
  readonly title: string;
  readonly seed: number;
  /** Of the sheet, for the votes to name. */
  readonly sheet: string;
  /** In the order of the true batch. */
  readonly originals: readonly string[];
  readonly questions: readonly { readonly reconstruction: string; readonly candidates: readonly number[] }[];
}

export type RenderRatePage = (page: RatePage) => string;

/** The files of a rating in the run's folder. */
export const RATE_FILES = { page: "rate.html", rating: "rating.json" } as const;

const CANDIDATES = 5; // k, where the batch has as many; our choice: guessing scores 20 %

/**
 * Writes the page on which people say which private image each reconstruction of a run shows; returns its path.
 *
 * candidates: images to choose from, by default 5 or the whole batch where that is smaller.
 * Throws FedleakError when the folder holds no scored run or the batch has a single image.
 */
export async function writeRatePage(
  folder: string,
  {
    seed,
    candidates,
    render,
  }: { readonly seed: number; readonly candidates?: number | undefined; readonly render: RenderRatePage },
): Promise<string> {
  const { record, pairs } = await scoredRun(folder);
  const sheet = await rateSheet(pairs, { seed, candidates: candidates ?? Math.min(CANDIDATES, pairs.length) });
  const { tensors } = readSafetensors(await readRunFile(folder, FILES.images), join(folder, FILES.images));
  const urls = async (images: Tensor, indices: readonly number[]) =>
    Promise.all(indices.map((i) => pngUrl(row(images as Tensor<"float32">, i))));
  const originals = await urls(tensors.originals!, [...pairs.keys()]);
  const rebuilt = await urls(
    tensors.reconstructions!,
    sheet.questions.map((question) => question.reconstruction),
  );
  const path = join(folder, RATE_FILES.page);
  await writeWhole(path, render(pageOf(record, sheet, originals, rebuilt)));
  return path;
}

/** What votes came to, and where it stands. */
export interface RatingOutcome {
  readonly rating: Rating;
  readonly path: string;
  /** Raters whose votes were there before. */
  readonly before: readonly string[];
  /** Where an earlier rating went that these votes were not added to. */
  readonly setAside?: string;
}

/**
 * Reads people's votes about a run, computes the attack success rate and writes `rating.json`; the record stays as it is.
 *
 * Votes of an earlier call are kept: the new ones are added to them. With `anew` they are left out, and so are those of a
 * version that kept none; the earlier rating is then set aside, never lost.
 * Throws FedleakError as `parseVotes` and `rateVotes` do, and where rating.json cannot be read.
 */
export async function rateRun(
  folder: string,
  files: readonly string[],
  { anew = false }: { readonly anew?: boolean } = {},
): Promise<RatingOutcome> {
  const { pairs } = await scoredRun(folder);
  const path = join(folder, RATE_FILES.rating);
  const earlier = await readEarlierRating(folder, RATE_FILES.rating);
  const kept = anew ? [] : (earlier?.answers ?? []);
  const answerOf = async (votes: Votes, file: string) => {
    const { seed, candidates } = votes;
    return { votes, file, sheet: await rateSheet(pairs, { seed, candidates }) };
  };
  const before = await Promise.all(kept.map((votes) => answerOf(votes, path)));
  const added: typeof before = [];
  for (const file of files) {
    added.push(await answerOf(parseVotes(new TextDecoder().decode(await readBytes(file)), file), file));
  }
  const rating = rateVotes(withEarlier(before, added));
  const setAside = earlier && kept.length === 0 ? await setRatingAside(folder, earlier.text) : undefined;
  await writeWhole(path, `${JSON.stringify(rating, undefined, 2)}\n`);
  return { rating, path, before: kept.map(({ rater }) => rater), ...(setAside !== undefined && { setAside }) };
}

async function scoredRun(folder: string): Promise<{ record: RunRecord; pairs: RunResults["pairs"]["oneToOne"] }> {
  const text = new TextDecoder().decode(await readRunFile(folder, FILES.record));
  const record = parseRecord(text, join(folder, FILES.record));
  if (record.results === undefined) {
    return fail({
      who: `rate ${folder}`,
      must: "the run must have been scored",
      got: `a run that is ${record.status}`,
      remedy: "Continue it with fedleak resume.",
    });
  }
  return { record, pairs: record.results.pairs.oneToOne };
}

function pageOf(
  { spec }: RunRecord,
  { id, seed, questions }: RateSheet,
  originals: string[],
  rebuilt: string[],
): RatePage {
  const { name } = spec.model;
  return {
    title: `${spec.attack.name} on ${typeof name === "string" ? name : "a model"}`,
    seed,
    sheet: id,
    originals,
    questions: questions.map(({ candidates }, q) => ({ reconstruction: rebuilt[q]!, candidates })),
  };
}

async function pngUrl(image: Tensor<"float32">): Promise<string> {
  return `data:image/png;base64,${Buffer.from(await encodePng(image)).toString("base64")}`;
}
