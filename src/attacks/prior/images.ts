import type { ChannelStatistics } from "../../fl/index.ts";
import { add, constant, mean, type Node, scalar, sqrt, square, sub, sum } from "../../graph/index.ts";
import type { BatchStatistics } from "../../nn/index.ts";

const TINY = 1e-12; // our choice: keeps the slope of a root finite at 0

/**
 * The images' mean Euclidean norm: (1/B) Σ_b ‖x_b‖₂. x [B,C,H,W] → a scalar ≥ 0.
 *
 * Source: Yin et al., "See through gradients", CVPR 2021, R_ℓ2.
 */
export function meanNorm(x: Node): Node {
  return mean(sqrt(add(sum(square(x), [1, 2, 3]), TINY)));
}

/**
 * How far the candidate's batch statistics are from the client's: Σ_l ‖μ_l(x) − μ_l‖₂ + ‖σ²_l(x) − σ²_l‖₂, a scalar ≥ 0.
 *
 * seen and granted: by BatchNorm's module name, [C] each. Source: Yin et al., "See through gradients", CVPR 2021, R_BN.
 */
export function statisticsPrior(
  seen: Readonly<Record<string, BatchStatistics>>,
  granted: Readonly<Record<string, ChannelStatistics>>,
): Node {
  const apart = (a: Node, b: Node) => sqrt(add(sum(square(sub(a, b))), TINY));
  return Object.entries(seen)
    .filter(([name]) => granted[name])
    .flatMap(([name, { mean, variance }]) => [
      apart(mean, constant(granted[name]!.mean)),
      apart(variance, constant(granted[name]!.variance)),
    ])
    .reduce((a, b) => add(a, b), scalar(0));
}

/**
 * The candidate's mean squared distance to the mean of all candidates: (1/B) Σ_b ‖x_b − c_b‖². x, c [B,C,H,W] → a scalar.
 *
 * Source: Yin et al., "See through gradients", CVPR 2021, group consistency. Differs: squared, so that it is smooth at 0;
 * images are not registered first: all candidates hold the labels in one order, but images of one label may be exchanged.
 */
export function distanceToCentre(x: Node, centre: Node): Node {
  return mean(sum(square(sub(x, centre)), [1, 2, 3]));
}
