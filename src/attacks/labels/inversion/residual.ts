import { type HeadProblem, WEIGHT_SCALE } from "./problem.ts";

/** How far a candidate is from explaining the head's gradient. */
export interface Residual {
  /** (N−1)·(N+1) numbers: explained − targets. */
  readonly values: Float64Array;
  /** −2·Σ_i log p_i[y_i]: how surprising the labels are to the model itself. */
  readonly surprise: number;
  /** z_i, [B,N] */
  readonly logits: Float64Array;
  /** p_i, [B,N] */
  readonly probabilities: Float64Array;
}

/** Of standardised logits ζ [B,N], z_i = spread·L·ζ_i, with labels y. */
export function residual(
  problem: HeadProblem,
  labels: readonly number[],
  latent: Float64Array,
  spread: number,
): Residual {
  const { classes: n, bias, targets, directions } = problem;
  const values = targets.map((t) => -t);
  const logits = new Float64Array(latent.length);
  const probabilities = new Float64Array(latent.length);
  let surprise = 0;
  labels.forEach((label, i) => {
    const at = i * n;
    let most = -Infinity;
    for (let j = 0; j < n; j++) {
      let z = 0;
      for (let k = 0; k <= j; k++) z += directions[j * n + k]! * latent[at + k]!;
      logits[at + j] = spread * z;
      most = Math.max(most, logits[at + j]!);
    }
    let whole = 0;
    for (let j = 0; j < n; j++) whole += Math.exp(logits[at + j]! - most);
    for (let j = 0; j < n; j++) probabilities[at + j] = Math.exp(logits[at + j]! - most) / whole;
    surprise -= 2 * (logits[at + label]! - most - Math.log(whole));
    for (let j = 0; j < n - 1; j++) {
      const r = probabilities[at + j]! - (j === label ? 1 : 0);
      values[j * (n + 1)]! += r;
      for (let k = 0; k < n; k++) values[j * (n + 1) + 1 + k]! += r * (logits[at + k]! - bias[k]!) * WEIGHT_SCALE;
    }
  });
  return { values, surprise, logits, probabilities };
}

/** The derivative of `values` by ζ, [rows, B·N], and that of `surprise`/2, B·N numbers. */
export function derivatives(
  problem: HeadProblem,
  labels: readonly number[],
  { logits, probabilities }: Residual,
  spread: number,
): { readonly jacobian: Float64Array; readonly slope: Float64Array } {
  const { classes: n, bias, targets, directions } = problem;
  const width = labels.length * n;
  const jacobian = new Float64Array(targets.length * width);
  const slope = new Float64Array(width);
  const byLogit = new Float64Array(n);
  const store = (row: number, at: number, into: Float64Array) => {
    for (let c = 0; c < n; c++) {
      let sum = 0;
      for (let l = c; l < n; l++) sum += byLogit[l]! * directions[l * n + c]!; // L is lower
      into[row * width + at + c] = spread * sum;
    }
  };
  labels.forEach((label, i) => {
    const at = i * n;
    const p = probabilities.subarray(at, at + n);
    for (let j = 0; j < n - 1; j++) {
      const row = j * (n + 1);
      const r = p[j]! - (j === label ? 1 : 0);
      for (let l = 0; l < n; l++) byLogit[l] = p[j]! * ((j === l ? 1 : 0) - p[l]!);
      store(row, at, jacobian);
      const byProbability = byLogit.slice();
      for (let k = 0; k < n; k++) {
        const z = logits[at + k]! - bias[k]!;
        for (let l = 0; l < n; l++) byLogit[l] = (byProbability[l]! * z + (l === k ? r : 0)) * WEIGHT_SCALE;
        store(row + 1 + k, at, jacobian);
      }
    }
    for (let l = 0; l < n; l++) byLogit[l] = p[l]! - (l === label ? 1 : 0);
    store(0, at, slope);
  });
  return { jacobian, slope };
}
