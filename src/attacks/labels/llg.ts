import { ranked, rowSums } from "./head.ts";
import type { Rule } from "./types.ts";

/**
 * The rule of LLG: every negative row sum is a label, and each label found takes its impact off its row.
 *
 * s_j = Σ_d ∂L/∂W[j,d]; impact of one label m = (1 + 1/N)·Σ_{s_j < 0} s_j / B. First each class with s_j < 0 gets one
 * label, then, until there are B, the class of smallest s_j; a label moves its class by s_j ← s_j − m.
 * Source: Wainakh et al., "User-level label leakage from gradients in federated learning", PoPETs 2022, Algorithm 1 in
 * the setting of a shared model and one local step.
 * Differs (our choice): of more than B negative rows the B lowest count.
 */
export const llg: Rule = {
  about: "negative row sums of the weight gradient, each label taking its impact off",
  source: "Wainakh et al. 2022 (LLG)",
  needsBias: false,
  needsDummies: false,
  count: (evidence) => {
    const { batchSize, classes } = evidence;
    const strengths = rowSums(evidence);
    const negative = ranked(strengths).filter((j) => strengths[j]! < 0);
    const impact = ((1 + 1 / classes) * negative.reduce((sum, j) => sum + strengths[j]!, 0)) / batchSize;
    const counts = new Array<number>(classes).fill(0);
    const take = (j: number) => {
      counts[j]! += 1;
      strengths[j]! -= impact;
    };
    const first = negative.slice(0, batchSize);
    first.forEach(take);
    for (let found = first.length; found < batchSize; found++) take(ranked(strengths)[0]!);
    return counts;
  },
};
