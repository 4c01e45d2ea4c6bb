import { join } from "node:path";
import { z } from "zod";
import { fail } from "../util/index.ts";
import { RATING_FORMAT, RATING_VERSION, type Votes, votes } from "./rate-votes.ts";
import { exists, readRunFile } from "./run-folder.ts";
import { writeNew } from "./write-file.ts";

/** A rating that a folder holds already. */
export interface EarlierRating {
  /** As it stands in the file. */
  readonly text: string;
  /** The votes in it; undefined: an older version, which did not keep them. */
  readonly answers: readonly Votes[] | undefined;
}

const rating = z.object({
  format: z.literal(RATING_FORMAT),
  version: z.int().positive(),
  answers: z.array(votes).min(1).optional(),
});

/** The rating in `file` of the folder; undefined when there is none. Throws FedleakError when it cannot be read. */
export async function readEarlierRating(folder: string, file: string): Promise<EarlierRating | undefined> {
  const path = join(folder, file);
  if (!(await exists(path))) return undefined;
  const text = new TextDecoder().decode(await readRunFile(folder, file));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = rating.safeParse(value);
  if (parsed.success && parsed.data.version <= RATING_VERSION) return { text, answers: parsed.data.answers };
  return fail({
    who: path,
    must: `it must be a rating, ${RATING_FORMAT} up to version ${RATING_VERSION}, to which votes can be added`,
    got: parsed.success ? `version ${parsed.data.version}` : "something else",
    remedy: "Move it away: it is not overwritten.",
  });
}

/** Earlier votes and new ones; a file that is passed again counts once. */
export function withEarlier<A extends { readonly votes: Votes }>(earlier: readonly A[], added: readonly A[]): A[] {
  const known = new Set(earlier.map(({ votes: own }) => JSON.stringify(own)));
  return [...earlier, ...added.filter(({ votes: own }) => !known.has(JSON.stringify(own)))];
}

/** Writes the text of an earlier rating under the first name of `rating-1.json`, `rating-2.json`, … that is free; returns its path. */
export async function setRatingAside(folder: string, text: string): Promise<string> {
  let i = 1;
  while (await exists(join(folder, `rating-${i}.json`))) i++;
  const path = join(folder, `rating-${i}.json`);
  await writeNew(path, text);
  return path;
}
