import { float32, largestOf, type Tensor } from "../../tensor/index.ts";

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

/**
 * Logits by which every row has the labels' own frequencies, and the share 0.01 among all classes: which image has which
 * label, and so came in which local step, is left open.
 *
 * B labels in 0 … N − 1 → [B,N]. Source: our choice. It helps where the learning rate is high, so that it matters which image came
 * when; at low ones, labels dealt to the steps, or a surrogate point, do better within the same budget (docs/local-steps.md).
 */
export function spreadLogits(labels: readonly number[], classes: number): Tensor<"float32"> {
  const row = new Array<number>(classes).fill((1 - CONFIDENCE) / classes);
  for (const label of labels) row[label]! += CONFIDENCE / labels.length;
  const data = Float32Array.from(labels.flatMap(() => row.map(Math.log)));
  return float32([labels.length, classes], data);
}

/** The labels, each given to a row of logits [B,N]: always the most probable row and label that are both left. */
export function assigned({ shape, data }: Tensor<"float32">, labels: readonly number[]): number[] {
  const [rows, classes] = shape as [number, number];
  const left = [...labels];
  const given = new Map<number, number>();
  const pairs = Array.from(data, (value, i) => ({ value, row: Math.floor(i / classes), label: i % classes }));
  for (const { row, label } of pairs.sort((a, b) => b.value - a.value)) {
    const at = given.has(row) ? -1 : left.indexOf(label);
    if (at >= 0) given.set(row, left.splice(at, 1)[0]!);
  }
  return Array.from({ length: rows }, (_, row) => given.get(row)!);
}

/** The most probable class of each row: [B,N] → B classes, the first of equals. */
export function mostProbable({ shape, data }: Tensor<"float32">): number[] {
  const [rows, classes] = shape as [number, number];
  return Array.from({ length: rows }, (_, row) => largestOf(data, row * classes, classes));
}
