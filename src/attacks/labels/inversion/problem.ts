import { numbers } from "../../../tensor/index.ts";
import { biasExcess, headRows, noiseLevel } from "../head.ts";
import type { LabelEvidence } from "../types.ts";
import { cholesky } from "./cholesky.ts";

/**
 * What the head's gradient says about the images' logits z_i = W·f_i + b, f_i their features:
 *
 * Σ_i r_i = B·∂L/∂b and Σ_i r_i·(z_i − b)ᵀ = B·∂L/∂W·Wᵀ, r_i = softmax(z_i) − onehot(y_i).
 * The last row of each follows from the others and is left out: N+1 targets for each of N−1 classes.
 */
export interface HeadProblem {
  /** N */
  readonly classes: number;
  /** B */
  readonly batchSize: number;
  /** b, N numbers. */
  readonly bias: Float64Array;
  /** (N−1)·(N+1) numbers: for each class the bias's target, then those of the weight. */
  readonly targets: Float64Array;
  /** L [N,N], lower, L·Lᵀ = W·Wᵀ/mean of its diagonal: how logits vary when features vary alike in all directions. */
  readonly directions: Float64Array;
  /** How exactly the targets are to be met. */
  readonly tolerance: number;
}

export const WEIGHT_SCALE = 1 / 3; // of the weight's targets beside the bias's: logits are of order 3 (our choice)
const TOLERANCE = 0.002; // of counts: wrong labels leave residuals of 0.02 and more for B < N (measured); float32 leaves 1e-5
const RIDGE = 1e-6; // of the mean diagonal; keeps L defined where D < N or rows of W agree (our choice)

/** What the gradient of the head demands of the logits, and how exactly. Throws FedleakError where the evidence has no such head. */
export function headProblem(evidence: LabelEvidence): HeadProblem {
  const { head, global, classes, batchSize } = evidence;
  const excess = biasExcess(evidence, "head-inversion");
  const rows = headRows(evidence);
  const width = rows[0]!.length;
  const { data } = global.params[head.weight]!;
  const weights = rows.map((_, j) => data.subarray(j * width, (j + 1) * width));
  const targets = new Float64Array((classes - 1) * (classes + 1));
  for (let j = 0; j < classes - 1; j++) {
    targets[j * (classes + 1)] = excess[j]!;
    weights.forEach((w, k) => {
      targets[j * (classes + 1) + 1 + k] = batchSize * dot(rows[j]!, w) * WEIGHT_SCALE;
    });
  }
  const gram = new Float64Array(classes * classes);
  weights.forEach((v, j) => {
    weights.forEach((w, k) => {
      gram[j * classes + k] = dot(v, w);
    });
  });
  const mean = weights.reduce((sum, w) => sum + dot(w, w), 0) / classes || 1;
  const scaled = gram.map((value, at) => value / mean + (at % (classes + 1) === 0 ? RIDGE : 0));
  const noise = noiseLevel(evidence) * batchSize * Math.max(1, Math.sqrt(mean) * WEIGHT_SCALE);
  return {
    classes,
    batchSize,
    bias: Float64Array.from(numbers(global.params[head.bias!]!)),
    targets,
    directions: cholesky(scaled, classes)!, // a Gram matrix with a ridge is positive definite
    tolerance: Math.hypot(TOLERANCE, noise),
  };
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
