/** The last layer's part of the evidence, as numbers. */
import { shapeText } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import type { LabelEvidence } from "./types.ts";

/** The rows ∂L/∂W[j,·] of the head's weight gradient [N,D]. Throws FedleakError when it is no such matrix. */
export function headRows({ head, update, classes }: LabelEvidence): readonly Float32Array[] {
  const gradient = update[head.weight];
  if (gradient?.shape.length !== 2 || gradient.shape[0] !== classes) {
    return fail({
      who: "labels",
      must: `the last layer's weight gradient must be [N,D] with N = ${classes} classes`,
      got: gradient ? shapeText(gradient.shape) : `no "${head.weight}"`,
      remedy: "Grant the labels, or use a model that ends in a linear layer.",
    });
  }
  const { data, shape } = gradient;
  return Array.from({ length: classes }, (_, j) => data.subarray(j * shape[1]!, (j + 1) * shape[1]!));
}

/** s_j = Σ_d ∂L/∂W[j,d] for each class: [N,D] → N numbers. */
export function rowSums(evidence: LabelEvidence): number[] {
  return headRows(evidence).map((row) => row.reduce((sum, g) => sum + g, 0));
}

/**
 * B·∂L/∂b_j = Σ_i (p_ij − [y_i = j]): how much more probable than frequent each class is in the batch. N numbers.
 *
 * Throws FedleakError when the head has no bias.
 */
export function biasExcess({ head, update, batchSize, classes }: LabelEvidence, rule: string): number[] {
  const gradient = head.bias === undefined ? undefined : update[head.bias];
  if (gradient?.data.length !== classes) {
    return fail({
      who: `labels ${rule}`,
      must: "the rule needs the gradient of the last layer's bias",
      got: head.bias === undefined ? "a model whose last layer has none" : `no "${head.bias}" of ${classes} numbers`,
      remedy: "Choose paper, idlg, yin or llg, or auto, which does so by itself.",
    });
  }
  return Array.from(gradient.data, (g) => g * batchSize);
}

/**
 * The standard deviation of noise on the entries of the head's weight gradient, as far as the update itself shows it.
 *
 * Without noise Σ_j ∂L/∂W[j,d] = 0 for each d, since probabilities and labels both sum to 1; noise of deviation s gives
 * it the variance N·s². Source: our choice.
 */
export function noiseLevel(evidence: LabelEvidence): number {
  const rows = headRows(evidence);
  let squares = 0;
  rows[0]!.forEach((_, d) => {
    squares += rows.reduce((sum, row) => sum + row[d]!, 0) ** 2;
  });
  return Math.sqrt(squares / rows[0]!.length / rows.length);
}

/** Classes by their strength, lowest first; of equals the lower class. */
export function ranked(strengths: readonly number[]): number[] {
  return [...strengths.keys()].sort((a, b) => strengths[a]! - strengths[b]! || a - b);
}

/** Counts that take B classes in the order given, and begin again at the first when there are more images than classes. */
export function countInOrder(order: readonly number[], batchSize: number): number[] {
  const counts = new Array<number>(order.length).fill(0);
  for (let i = 0; i < batchSize; i++) counts[order[i % order.length]!]! += 1;
  return counts;
}
