import { cholesky, choleskySolve, logDeterminant } from "./cholesky.ts";
import type { HeadProblem } from "./problem.ts";
import { derivatives, type Residual, residual } from "./residual.ts";

/** The most probable logits for given labels, and how well they explain the head's gradient. */
export interface Fit {
  readonly labels: readonly number[];
  /** ζ [B,N], a priori N(0,1) each. */
  readonly latent: Float64Array;
  readonly spread: number;
  /** −2 log of the evidence for the labels, up to a constant (Laplace's approximation): lower is better. */
  readonly score: number;
  readonly residual: Residual;
  /** J [rows, B·N] at the fit, and the factor of J·Jᵀ + σ²·1. */
  readonly jacobian: Float64Array;
  readonly factor: Float64Array;
}

/**
 * Minimises ‖E(ζ)‖²/σ² + ‖ζ‖² − 2·Σ log p_i[y_i] over ζ by damped Gauss-Newton steps, σ falling through `tolerances`.
 *
 * Each step solves (JᵀJ/σ² + d·1)·Δ = −gradient through the smaller J·Jᵀ + σ²d·1. `start`: ζ [B,N].
 * Source: our choice; Levenberg-Marquardt with Woodbury's identity, evidence by Laplace's approximation.
 */
export function fitLogits(
  problem: HeadProblem,
  labels: readonly number[],
  { latent: start, spread }: Pick<Fit, "latent" | "spread">,
  tolerances: readonly number[],
): Fit {
  let latent = start;
  for (const tolerance of tolerances) latent = descend(problem, labels, { latent, spread }, tolerance);
  const { tolerance } = problem;
  const at = residual(problem, labels, latent, spread);
  const { jacobian } = derivatives(problem, labels, at, spread);
  const rows = problem.targets.length;
  const factor = cholesky(plusDiagonal(gram(jacobian, rows), rows, tolerance ** 2), rows)!; // σ² > 0: positive definite
  const score = costOf(at, latent, tolerance) + logDeterminant(factor, rows);
  return { labels, latent, spread, score, residual: at, jacobian, factor };
}

const STEPS = 25; // at most, at each tolerance; our choice: fits settle in about 10
const SETTLED = 0.01; // of a cost whose unit is one standard deviation squared; our choice
const DAMPING = { first: 1, least: 1e-3, most: 1e6, up: 4, down: 1 / 4 }; // our choice

function descend(
  problem: HeadProblem,
  labels: readonly number[],
  { latent: start, spread }: Pick<Fit, "latent" | "spread">,
  tolerance: number,
): Float64Array {
  const rows = problem.targets.length;
  let latent = start;
  let at = residual(problem, labels, latent, spread);
  let cost = costOf(at, latent, tolerance);
  let damping = DAMPING.first;
  for (let step = 0; step < STEPS; step++) {
    const { jacobian, slope } = derivatives(problem, labels, at, spread);
    const gradient = latent.map((z, c) => z + slope[c]!);
    addTransposed(gradient, jacobian, at.values, 1 / tolerance ** 2);
    const products = gram(jacobian, rows);
    const along = times(jacobian, gradient, rows);
    let drop = 0;
    while (drop <= 0 && damping <= DAMPING.most) {
      const stiffness = 1 + LABEL_CURVATURE + damping;
      const factor = cholesky(plusDiagonal(products, rows, stiffness * tolerance ** 2), rows)!;
      const change = gradient.map((g) => -g / stiffness);
      addTransposed(change, jacobian, choleskySolve(factor, along), 1 / stiffness);
      const next = latent.map((z, c) => z + change[c]!);
      const there = residual(problem, labels, next, spread);
      drop = cost - costOf(there, next, tolerance);
      if (drop > 0) {
        [latent, at, cost] = [next, there, cost - drop];
        damping = Math.max(DAMPING.least, damping * DAMPING.down);
      } else damping *= DAMPING.up;
    }
    if (drop < SETTLED) break;
  }
  return latent;
}

const LABEL_CURVATURE = 0.5; // stands for that of −2·log p, whose exact one is not needed to descend; our choice

function costOf({ values, surprise }: Residual, latent: Float64Array, tolerance: number): number {
  return squares(values) / tolerance ** 2 + squares(latent) + surprise;
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const v of values) sum += v * v;
  return sum;
}

/** J·Jᵀ, the lower triangle. */
function gram(jacobian: Float64Array, rows: number): Float64Array {
  const width = jacobian.length / rows;
  const out = new Float64Array(rows * rows);
  for (let e = 0; e < rows; e++) {
    for (let f = 0; f <= e; f++) {
      let sum = 0;
      for (let c = 0, [p, q] = [e * width, f * width] as [number, number]; c < width; c++) {
        sum += jacobian[p + c]! * jacobian[q + c]!;
      }
      out[e * rows + f] = sum;
    }
  }
  return out;
}

function plusDiagonal(matrix: Float64Array, n: number, value: number): Float64Array {
  const out = matrix.slice();
  for (let i = 0; i < n; i++) out[i * n + i]! += value;
  return out;
}

/** J·v */
function times(jacobian: Float64Array, v: Float64Array, rows: number): Float64Array {
  const width = v.length;
  return Float64Array.from({ length: rows }, (_, e) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += jacobian[e * width + c]! * v[c]!;
    return sum;
  });
}

/** into += scale·Jᵀ·v, in place: `into` is the caller's own. */
function addTransposed(into: Float64Array, jacobian: Float64Array, v: Float64Array, scale: number): void {
  const width = into.length;
  v.forEach((value, e) => {
    for (let c = 0; c < width; c++) into[c]! += scale * value * jacobian[e * width + c]!;
  });
}
