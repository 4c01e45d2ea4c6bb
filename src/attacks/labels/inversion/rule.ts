import { expectedCounts } from "../counts.ts";
import { biasExcess, noiseLevel } from "../head.ts";
import type { LabelEvidence, Rule } from "../types.ts";
import { leastCounts, wholeCounts } from "../whole-counts.ts";
import { headProblem } from "./problem.ts";
import { searchCounts } from "./search.ts";

/**
 * Inverts the last layer: looks for the labels for which there are logits z_i that explain its whole gradient.
 *
 * The gradient of weight and bias gives (N−1)·(N+1) equations for the B·N logits of the images: for B < N only the true
 * labels have a solution, beyond that the most probable one decides, with logits a priori normal along W·Wᵀ.
 * Starts from rule counts, which it repeats where `isAffordable` says no.
 * Source: ours. Differs from RLG (Dang et al., NeurIPS 2021), which finds the classes of a batch, not how often each occurs.
 */
export const headInversion: Rule = {
  about: "logits of each image that explain the gradient of weight and bias",
  source: "ours",
  needsBias: true,
  needsDummies: true,
  count: (evidence) => {
    const { batchSize } = evidence;
    const excess = biasExcess(evidence, "head-inversion");
    const least = leastCounts(excess, batchSize, noiseLevel(evidence));
    const start = wholeCounts(expectedCounts(evidence, excess), batchSize, least);
    const free = batchSize - least.reduce((a, b) => a + b, 0);
    return free > 0 && isAffordable(evidence) ? searchCounts(headProblem(evidence), start, least) : start;
  },
};

/** Whether the inversion takes seconds and not minutes: N ≤ 16 and B·N ≤ 1000. */
export function isAffordable({ classes, batchSize }: LabelEvidence): boolean {
  return classes <= MOST_CLASSES && classes * batchSize <= MOST_LOGITS;
}

const MOST_CLASSES = 16; // its cost grows as N⁶; our choice
const MOST_LOGITS = 1000; // our choice
