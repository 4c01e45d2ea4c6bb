import { countInOrder, ranked, rowSums } from "./head.ts";
import type { Rule } from "./types.ts";

/**
 * The rule of iDLG: the classes of smallest row sum s_j = Σ_d ∂L/∂W[j,d], each once.
 *
 * Exact for one image with features ≥ 0, of which only the row of its class is negative.
 * Source: Zhao et al., "iDLG: improved deep leakage from gradients", 2020, for B = 1.
 * Differs (our choice): the B lowest for more images; when B > N, again from the lowest on.
 */
export const idlg: Rule = {
  about: "lowest row sums of the weight gradient, each class once",
  source: "Zhao et al. 2020 (iDLG)",
  needsBias: false,
  needsDummies: false,
  count: (evidence) => countInOrder(ranked(rowSums(evidence)), evidence.batchSize),
};
