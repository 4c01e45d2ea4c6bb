import type { Rating } from "../audit/index.ts";
import { percentText, plural } from "./format.ts";

/** What must be read beside a rating: who voted, how often, and what the numbers do not say; one sentence or two each. */
export function ratingCaveats(rating: Rating): readonly string[] {
  const { raters, votes, votesFor, mean, majority, chance, majorityChance } = rating;
  const people = raters.length === 1 ? "1 person" : `${raters.length} people`;
  const images = plural(votesFor.length, "image");
  return [
    `${people} voted (${raters.map(({ rater }) => rater).join(", ")}), ${plural(votes.given, "vote")} about ${images}, ` +
      `${votes.unsure} of them “cannot tell”, which counts as not recognised. Names are as they were typed; nobody checked them.`,
    "The intervals (Wilson, 95 %) count images: more people do not make them shorter. The images are of one batch under one attack.",
    "Each reconstruction was paired with the private image that it is most like, so people are right a little more often than by guessing even where nothing leaked.",
    ...(mean.interval95[0] <= chance || majority.interval95[0] <= majorityChance
      ? [
          `Guessing (${percentText(rounded(chance))}) lies within an interval: these votes do not show that people recognise anything.`,
        ]
      : []),
    ...(raters.length < PAPER_RATERS ? [`The paper had ${PAPER_RATERS} people vote.`] : []),
  ];
}

const PAPER_RATERS = 3; // volunteers, in the paper

function rounded(share: number): number {
  return Math.round(share * 1000) / 1000;
}
