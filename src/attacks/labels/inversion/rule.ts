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
 * labels have a solution; for B = N the most probable one decides, with logits a priori normal along W·Wᵀ.
 * Starts from rule counts, which it repeats where `isSolvable` says no, or where the update shows noise as strong as labels.
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
    if (free <= 0 || !isSolvable(evidence)) return start;
    const problem = headProblem(evidence);
    return problem.tolerance < MOST_TOLERANCE ? searchCounts(problem, start, least) : start;
  },
};

/**
 * Whether the inversion has enough equations and takes seconds, not minutes: B ≤ N ≤ 12.
 *
 * It runs in one piece, and its cost grows as N⁶: up to 52 s were measured for N = 16, of which N = 12 takes a fifth. For B = 2·N, on trained ResNet10s, it was no better than counts.
 */
export function isSolvable({ classes, batchSize }: LabelEvidence): boolean {
  return classes <= MOST_CLASSES && batchSize <= classes;
}

const MOST_TOLERANCE = 0.3; // of a label: beyond it noise hides which of two labels is there; our choice
const MOST_CLASSES = 12; // our choice
