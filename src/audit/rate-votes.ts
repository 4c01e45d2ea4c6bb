import { z } from "zod";
import { shareInterval95 } from "../metrics/index.ts";
import { fail } from "../util/index.ts";
import type { RateSheet } from "./rate-sheet.ts";

/** One person's answers, as the page saves them. */
export type Votes = z.infer<typeof votes>;

const whole = z.int().nonnegative();

export const votes = z.strictObject({
  format: z.literal("fedleak-votes"),
  version: z.literal(1),
  rater: z.string().trim().min(1),
  seed: whole,
  candidates: z.int().min(2),
  sheet: z.string(),
  /** For each question the candidate that was chosen, by its place on the page; null: cannot tell. */
  choices: z.array(whole.nullable()).min(1).readonly(),
});

/** What people said about a run. */
export interface Rating {
  readonly format: "fedleak-rating";
  readonly version: typeof RATING_VERSION;
  readonly candidates: number;
  /** What guessing scores on average. */
  readonly chance: number;
  /** How often more than half of so many raters are right when all guess. */
  readonly majorityChance: number;
  /** Who voted, by the names they gave; `unsure`: how often they could not tell. */
  readonly raters: readonly { readonly rater: string; readonly share: number; readonly unsure: number }[];
  /** Answers of all raters, and how many of them are “cannot tell”. */
  readonly votes: { readonly given: number; readonly unsure: number };
  /** Images that more than half of the raters identified. */
  readonly majority: Share;
  /** Mean over raters and images; its interval counts images, since more raters are not more images. */
  readonly mean: Share;
  /** In the order of the true batch: how many raters identified it. */
  readonly votesFor: readonly number[];
  /** The answers themselves, so that those of other people can be added. */
  readonly answers: readonly Votes[];
}

export const RATING_FORMAT = "fedleak-rating";
export const RATING_VERSION = 2; // raise it when a field changes its meaning or becomes required; 1 had no answers

interface Share {
  readonly share: number;
  readonly interval95: readonly [low: number, high: number];
}

/** Reads a file of votes; `file` is only named in errors. Throws FedleakError when it is none. */
export function parseVotes(text: string, file: string): Votes {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = votes.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  return fail({
    who: `votes ${file}`,
    must: "it must be a file that the page of fedleak rate saved",
    got: value === undefined ? "no JSON" : `${issue.path.join(".") || "an object"}: ${issue.message}`,
    remedy: "Answer the page again and save its file.",
  });
}

/**
 * The attack success rate that people give: the share of reconstructions in which they recognise the true image.
 *
 * Each person's answers come with the sheet they answered; orders may differ, the number of candidates may not. “Cannot
 * tell” is not identified. Majority: more than half of the raters.
 * Throws FedleakError when votes are for another sheet, incomplete, of one rater twice, or of another number of candidates.
 * Source: the FedLeak paper's ASR, judged by three volunteers.
 * Differs: the paper asks whether two images overlap in meaning; here the true image must be found among others, so that
 * guessing has a known rate.
 */
export function rateVotes(
  answers: readonly { readonly sheet: RateSheet; readonly votes: Votes; readonly file: string }[],
): Rating {
  checkVotes(answers);
  const right = answers.map(({ sheet, votes: { choices } }) => {
    const found = new Map<number, boolean>();
    sheet.questions.forEach(({ candidates, answer }, q) => {
      found.set(candidates[answer]!, choices[q] === answer);
    });
    return found;
  });
  const images = right[0]!.size;
  const votesFor = Array.from({ length: images }, (_, i) => right.filter((found) => found.get(i)).length);
  const { candidates } = answers[0]!.votes;
  const shareOf = (count: number): Share => ({
    share: count / images,
    interval95: shareInterval95(count / images, images),
  });
  const total = votesFor.reduce((sum, count) => sum + count, 0);
  const raters = answers.map(({ votes: { rater, choices } }, r) => ({
    rater,
    share: [...right[r]!.values()].filter(Boolean).length / images,
    unsure: choices.filter((choice) => choice === null).length,
  }));
  return {
    format: RATING_FORMAT,
    version: RATING_VERSION,
    candidates,
    chance: 1 / candidates,
    majorityChance: moreThanHalf(answers.length, 1 / candidates),
    raters,
    votes: { given: answers.length * images, unsure: raters.reduce((sum, { unsure }) => sum + unsure, 0) },
    majority: shareOf(votesFor.filter((count) => count > answers.length / 2).length),
    mean: shareOf(total / answers.length),
    votesFor,
    answers: answers.map(({ votes: own }) => own),
  };
}

/** P(X > n/2) for X binomial with n draws of probability p. */
function moreThanHalf(n: number, p: number): number {
  let term = (1 - p) ** n; // P(X = 0)
  let sum = 0;
  for (let k = 0; k <= n; k++) {
    if (k > n / 2) sum += term;
    term *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  return sum;
}

function checkVotes(answers: Parameters<typeof rateVotes>[0]): void {
  const first = answers[0];
  if (first === undefined) {
    fail({ who: "rate", must: "there must be votes", got: "none", remedy: "Pass the files that the page saved." });
  }
  answers.forEach(({ sheet, votes: { sheet: id, choices, rater, candidates }, file }, i) => {
    const complaint = (must: string, got: string, remedy: string) => fail({ who: `votes ${file}`, must, got, remedy });
    if (id !== sheet.id) {
      complaint(
        "they must be for this run and its page",
        "votes for another",
        "Pass the folder of the run they are for.",
      );
    }
    if (choices.length !== sheet.questions.length) {
      complaint(`there must be ${sheet.questions.length} answers`, `${choices.length}`, "Answer all questions.");
    }
    const strange = choices.find((choice) => choice !== null && choice >= candidates);
    if (strange !== undefined) {
      complaint(`a choice must be below ${candidates}, or null`, `${strange}`, "Answer the page again.");
    }
    if (candidates !== first.votes.candidates) {
      complaint(
        `all must choose among as many (${first.votes.candidates})`,
        `${candidates}`,
        "Rate pages of one kind together; --anew leaves out the votes of before.",
      );
    }
    if (answers.findIndex((other) => other.votes.rater === rater) !== i) {
      complaint(
        "every rater must be another person",
        `"${rater}" again`,
        "Pass each person's file once; --anew leaves out the votes of before.",
      );
    }
  });
}
