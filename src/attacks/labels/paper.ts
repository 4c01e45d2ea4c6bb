import { countInOrder, ranked, rowSums } from "./head.ts";
import type { Rule } from "./types.ts";

/**
 * The rule of FedLeak.
 *
 * s_j = Σ_d ∂L/∂W[j,d]. B ≤ N: the B classes of smallest s_j, so all differ. B > N: class j gets
 * round(B·(s_j − s_max)/Σ_k(s_k − s_max)) labels; if that is too few, the class of lowest s gets the rest.
 * Source: FedLeak, Section 5 (label inference). Exact for B ≤ N when all labels differ, the features are positive and no
 * class is predicted so strongly that it outweighs its own image: so on untrained nets, not always on trained ones.
 * Differs (our choice, the paper is silent): too many are taken from the classes of highest s that have one; equal s
 * for all classes share the labels round-robin.
 */
export const paper: Rule = {
  about: "row sums of the weight gradient: the B lowest, or shares of B by their depth",
  source: "FedLeak, Section 5",
  needsBias: false,
  needsDummies: false,
  count: (evidence) => {
    const strengths = rowSums(evidence);
    const order = ranked(strengths);
    const { batchSize, classes } = evidence;
    return batchSize <= classes ? countInOrder(order, batchSize) : byShare(strengths, order, batchSize);
  },
};

function byShare(strengths: readonly number[], order: readonly number[], batchSize: number): number[] {
  const weakest = strengths[order.at(-1)!]!;
  const whole = strengths.reduce((sum, s) => sum + (s - weakest), 0);
  if (whole === 0) return countInOrder([...strengths.keys()], batchSize);
  const counts = strengths.map((s) => Math.round((batchSize * (s - weakest)) / whole));
  let missing = batchSize - counts.reduce((a, b) => a + b, 0);
  if (missing > 0) counts[order[0]!]! += missing;
  for (const label of [...order].reverse()) {
    const taken = Math.min(counts[label]!, Math.max(0, -missing));
    counts[label]! -= taken;
    missing += taken;
  }
  return counts;
}
