import { float32, type Tensor } from "../../tensor/index.ts";

const CONFIDENCE = 0.99; // probability of the inferred class at the start: our choice, near one-hot yet movable

/**
 * Logits whose softmax gives each row's label the probability 0.99 and shares the rest among the other classes.
 *
 * B labels in 0 … N − 1, N ≥ 2 → [B,N].
 * Source: FedLeak, Section 5 ("jointly optimize the inferred labels"); logits and soft cross-entropy as in Zhu et al.,
 * "Deep leakage from gradients", 2019; the start is our choice.
 */
export function labelLogits(labels: readonly number[], classes: number): Tensor<"float32"> {
  const peak = Math.log((CONFIDENCE / (1 - CONFIDENCE)) * (classes - 1)); // against 0 for the others
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    data[row * classes + label] = peak;
  });
  return float32([labels.length, classes], data);
}

/** The most probable class of each row: [B,N] → B classes, the first of equals. */
export function mostProbable({ shape, data }: Tensor<"float32">): number[] {
  const [rows, classes] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) => {
    const logits = data.subarray(row * classes, (row + 1) * classes);
    return logits.reduce((best, value, j) => (value > logits[best]! ? j : best), 0);
  });
}
