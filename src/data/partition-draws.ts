import { type Key, normal, split, uniform } from "../util/index.ts";

/**
 * `count` shares ≥ 0 that sum to 1, drawn from the symmetric Dirichlet(α), α > 0.
 *
 * g_i/Σg with g_i from Gamma(α), in logarithms, so that no α is too small.
 */
export function dirichletDraw(key: Key, count: number, alpha: number): Float64Array {
  const logs = Float64Array.from({ length: count }, (_, i) => logGammaDraw(split(key, i), alpha));
  const peak = logs.reduce((a, b) => Math.max(a, b));
  const draws = logs.map((v) => Math.exp(v - peak));
  const sum = draws.reduce((a, b) => a + b);
  return draws.map((v) => v / sum);
}

/**
 * The logarithm of a draw from Gamma(shape, 1).
 *
 * Source: Marsaglia and Tsang, "A simple method for generating gamma variables", 2000; below shape 1 by their
 * Gamma(a) = Gamma(a + 1)·u^(1/a).
 */
function logGammaDraw(key: Key, shape: number): number {
  const boost = shape < 1 ? Math.log(1 - uniform(split(key, "boost"), 1)[0]!) / shape : 0; // 1 − u is never 0
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (let attempt = 0; ; attempt++) {
    const x = normal(split(split(key, "normal"), attempt), 1)[0]!;
    const u = 1 - uniform(split(split(key, "uniform"), attempt), 1)[0]!;
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d * v) + boost;
  }
}
