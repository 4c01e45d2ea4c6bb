import { shapeText, type Tensor } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";

/**
 * The labels of a batch from the gradient of the last linear layer's weight, as FedLeak infers them.
 *
 * s_j = Σ_d ∂L/∂W[j,d]. B ≤ N: the B classes of smallest s_j, so all differ. B > N: class j gets
 * round(B·(s_j − s_max)/Σ_k(s_k − s_max)) labels; if that is too few, the class of lowest s gets the rest.
 * headGradient [N,D]; batchSize B ≥ 1. Result: B classes, ascending.
 * Source: FedLeak, Section 5 (label inference). Exact for B ≤ N when all labels differ, the features are positive and no
 * class is predicted so strongly that it outweighs its own image: so on untrained nets, not always on trained ones.
 * Differs (our choice, the paper is silent): too many are taken from the classes of highest s that have one; equal s
 * for all classes share the labels round-robin.
 */
export function inferLabels(headGradient: Tensor<"float32">, batchSize: number): number[] {
  const strengths = rowSums(headGradient);
  const order = [...strengths.keys()].sort((a, b) => strengths[a]! - strengths[b]! || a - b); // strongest class first
  const labels = batchSize <= strengths.length ? order.slice(0, batchSize) : byShare(strengths, order, batchSize);
  return labels.sort((a, b) => a - b);
}

function byShare(strengths: readonly number[], order: readonly number[], batchSize: number): number[] {
  const weakest = strengths[order.at(-1)!]!;
  const whole = strengths.reduce((sum, s) => sum + (s - weakest), 0);
  if (whole === 0) return Array.from({ length: batchSize }, (_, i) => i % strengths.length);
  const counts = strengths.map((s) => Math.round((batchSize * (s - weakest)) / whole));
  let missing = batchSize - counts.reduce((a, b) => a + b, 0);
  if (missing > 0) counts[order[0]!]! += missing;
  for (const label of [...order].reverse()) {
    const taken = Math.min(counts[label]!, Math.max(0, -missing));
    counts[label]! -= taken;
    missing += taken;
  }
  return counts.flatMap((count, label) => new Array<number>(count).fill(label));
}

function rowSums({ shape, data }: Tensor<"float32">): number[] {
  if (shape.length !== 2) {
    fail({
      who: "labels",
      must: "the last layer's weight gradient must be [N,D]",
      got: shapeText(shape),
      remedy: "Grant the labels, or use a model that ends in a linear layer.",
    });
  }
  const [classes, width] = shape as [number, number];
  return Array.from({ length: classes }, (_, j) =>
    data.subarray(j * width, (j + 1) * width).reduce((sum, g) => sum + g, 0),
  );
}
