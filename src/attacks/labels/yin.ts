import { countInOrder, headRows, ranked } from "./head.ts";
import type { Rule } from "./types.ts";

/**
 * The rule of GradInversion: the classes whose row has the smallest single entry, min_d ∂L/∂W[j,d], each once.
 *
 * Unlike a row sum, one strongly negative entry is not outweighed by other images of the batch.
 * Source: Yin et al., "See through gradients", CVPR 2021, Equation 6, for B ≤ N without repeated labels.
 * Differs (our choice): when B > N, again from the lowest on.
 */
export const yin: Rule = {
  about: "lowest single entry in each row of the weight gradient, each class once",
  source: "Yin et al. 2021 (GradInversion)",
  needsBias: false,
  needsDummies: false,
  count: (evidence) => {
    const lowest = headRows(evidence).map((row) => row.reduce((least, g) => Math.min(least, g), Infinity));
    return countInOrder(ranked(lowest), evidence.batchSize);
  },
};
