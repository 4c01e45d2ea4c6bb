import { meanProbability } from "./dummies.ts";
import { biasExcess, noiseLevel } from "./head.ts";
import type { LabelEvidence, Rule } from "./types.ts";
import { leastCounts, wholeCounts } from "./whole-counts.ts";

/**
 * Counts from the bias gradient: k_j = Σ_i p_ij − B·∂L/∂b_j holds exactly, and only Σ_i p_ij is estimated.
 *
 * The estimate is B·p̄_j, p̄ of `meanProbability`; then the nearest whole numbers with sum B, never fewer than the bias
 * gradient proves. Exact, duplicates included, where all images are predicted alike, so on untrained nets.
 * Source: ours; the identity is the gradient of softmax cross-entropy. Estimates from dummy images are also in LLG+ of
 * Wainakh et al., PoPETs 2022.
 */
export const counts: Rule = {
  about: "bias gradient, and the mean probability of each class on dummy images",
  source: "ours",
  needsBias: true,
  needsDummies: true,
  count: (evidence) => {
    const { batchSize } = evidence;
    const excess = biasExcess(evidence, "counts");
    return wholeCounts(
      expectedCounts(evidence, excess),
      batchSize,
      leastCounts(excess, batchSize, noiseLevel(evidence)),
    );
  },
};

/** B·p̄_j − excess_j, excess of `biasExcess`: N numbers with sum B, not whole. */
export function expectedCounts(evidence: LabelEvidence, excess: readonly number[]): number[] {
  return meanProbability(evidence).map((p, j) => evidence.batchSize * p - excess[j]!);
}
