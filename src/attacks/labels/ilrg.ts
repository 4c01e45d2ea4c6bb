import { numbers } from "../../tensor/index.ts";
import { biasExcess, headRows, noiseLevel } from "./head.ts";
import { leastSquares } from "./least-squares.ts";
import { softmax } from "./softmax.ts";
import type { LabelEvidence, Rule } from "./types.ts";
import { leastCounts, wholeCounts } from "./whole-counts.ts";

/**
 * The rule of iLRG: the mean feature of each class gives the probabilities of its images, and those the counts.
 *
 * e_j = ∂L/∂W[j,·] / ∂L/∂b_j, p_j = softmax(W·e_j + b); k solves, by least squares, Σ_j k_j (p_j[i] − [i = j]) =
 * B·∂L/∂b_i for each class i and Σ_j k_j = B; then the nearest whole numbers with that sum.
 * Exact, duplicates included, when all images are predicted alike; e_j is the better, the less other images weigh in row j.
 * Source: Ma et al., "Instance-wise batch label restoration via gradients in federated learning", ICLR 2023.
 * Differs (our choice): a class never gets fewer labels than its bias gradient proves; no entry of e_j is put to 0.
 */
export const ilrg: Rule = {
  about: "class features ∂W/∂b, their probabilities, and the counts that explain the bias gradient",
  source: "Ma et al. 2023 (iLRG)",
  needsBias: true,
  needsDummies: false,
  count: (evidence) => {
    const { batchSize, classes } = evidence;
    const excess = biasExcess(evidence, "ilrg");
    const predicted = headRows(evidence).map((row, j) => classProbabilities(evidence, row, excess[j]! / batchSize));
    const equations = Array.from({ length: classes }, (_, i) => predicted.map((p, j) => p[i]! - (i === j ? 1 : 0)));
    const wanted = leastSquares([...equations, new Array<number>(classes).fill(1)], [...excess, batchSize]);
    return wholeCounts(wanted, batchSize, leastCounts(excess, batchSize, noiseLevel(evidence)));
  },
};

/** softmax(W·e + b) with e = row/bias; uniform where the bias gradient vanishes, so that e is unknown. */
function classProbabilities(evidence: LabelEvidence, row: Float32Array, bias: number): number[] {
  const { head, global, classes } = evidence;
  const weight = global.params[head.weight]!;
  const offset = numbers(global.params[head.bias!]!);
  const width = row.length;
  const logits = Array.from({ length: classes }, (_, j) => {
    const w = weight.data.subarray(j * width, (j + 1) * width);
    return row.reduce((sum, g, d) => sum + g * w[d]!, 0) / bias + offset[j]!;
  });
  return logits.every(Number.isFinite) ? softmax(logits) : new Array<number>(classes).fill(1 / classes);
}
