import {
  abs,
  add,
  div,
  dot,
  maximum,
  minimum,
  mul,
  type Node,
  sign,
  square,
  stopGradient,
  sub,
  sum,
  totalVariation,
} from "../../../graph/index.ts";
import { sizeOf } from "../../../tensor/index.ts";
import type { AttackSettings } from "../../settings.ts";
import { gradientDistance } from "../distance.ts";
import { magnitudeMasks } from "../mask.ts";
import { nonZero, total } from "./tensors.ts";
import type { Match } from "./types.ts";

export type DistanceSettings = Pick<
  AttackSettings,
  "l1Weight" | "cosineWeight" | "l2Weight" | "distanceScope" | "maskRatio" | "maskScope" | "parameterisation"
>;

/**
 * How far a match is from agreeing, by what is known of it: a scalar ≥ 0.
 *
 * Only signs told: their disagreement. Noise: the negative log-likelihood. Else the attack's own distance over what is told.
 * The latter two to the nearest values that could have become what was observed. The first two stand at the scale of the attack's own at a
 * candidate without any gradient, so that its priors keep their weight (our choice). Where a share of the entries is not told
 * the images are expected to be smooth, as in the likelihood: by 0.01·share·TV(x) at that scale (our choice). A table's columns are no
 * neighbours: nothing of the kind is expected of them.
 */
export function adaptedDistance(match: Match, x: Node, settings: DistanceSettings): Node {
  const scale = scaleOf(match, settings);
  const smooth = settings.parameterisation !== "columns";
  if (match.variances && match.signs === "none") return mul(likelihood(match, match.variances, x, smooth), scale);
  const distance = match.signs === "none" ? ownDistance(match, settings) : mul(signDistance(match), scale);
  if (!smooth || match.untold === 0) return distance;
  return add(distance, mul(totalVariation(x), SMOOTHNESS * match.untold * scale));
}

const SMOOTHNESS = 0.01;

/** The attack's own distance, over the entries that are told. */
function ownDistance(match: Match, settings: DistanceSettings): Node {
  const { candidates, slack, masks } = match;
  const targets = slack ? match.targets.map((t, i) => nearest(candidates[i]!, t, slack[i]!)) : match.targets;
  const chosen = magnitudeMasks(masks ? candidates.map((g, i) => mul(g, masks[i]!)) : candidates, settings);
  const both = masks && chosen ? masks.map((m, i) => mul(m, chosen[i]!)) : (masks ?? chosen);
  return gradientDistance(candidates, targets, both, settings);
}

/** The value in [t − slack, t + slack] next to g: nothing is differentiated through it, so inside there is no pull. */
function nearest(g: Node, target: Node, slack: Node): Node {
  return stopGradient(maximum(minimum(g, add(target, slack)), sub(target, slack)));
}

/**
 * The mean over tensors of 1 − Σ sign(t)·g / Σ|g|, which is 0 where no sign is wrong, in [0,2]; and, where the tensor's mean
 * magnitude s was sent, of 0.1·(Σ|g|/(n·s) − 1)². Ours; the weight 0.1 too: signs tell more than lengths.
 */
function signDistance({ candidates, targets, masks, signs }: Match): Node {
  const terms = targets.map((t, i) => {
    const g = masks ? mul(candidates[i]!, masks[i]!) : candidates[i]!;
    const size = maximum(sum(abs(g)), SMALLEST);
    const wrong = sub(1, div(dot(sign(t), g), size));
    if (signs === "alone") return wrong;
    const mean = div(sum(abs(t)), maximum(sum(nonZero(t)), 1)); // all are alike, unless noise came later
    const ratio = div(size, maximum(mul(mean, sizeOf(t.shape)), SMALLEST));
    return add(wrong, mul(square(sub(ratio, 1)), LENGTHS));
  });
  return div(total(terms), terms.length);
}

const LENGTHS = 0.1;
const SMALLEST = 1e-12; // keeps quotients finite at tensors of zeros

/**
 * Σ m(g − t)²/2v + P·TV(x)/b, t the nearest value within the slack, over Σ m t²/2v: the negative logarithm of likelihood and prior, in units of a candidate without
 * gradient. With a free length g is scaled by the factor that fits best. P counts the values of x: the prior is Laplace's on
 * differences of neighbours, of mean b (our choice); without it noise is fitted, as it is where images need not be `smooth`.
 * Source: Balunović et al., Bayesian framework for gradient leakage, ICLR 2022 (the likelihood of known noise).
 */
function likelihood(match: Match, variances: readonly Node[], x: Node, smooth: boolean): Node {
  const { candidates, targets, masks, slack, freeLength } = match;
  const weights = variances.map((v, i) => div(masks ? masks[i]! : 0.5, masks ? mul(v, 2) : v));
  const product = (a: readonly Node[], b: readonly Node[]) =>
    total(a.map((p, i) => sum(mul(weights[i]!, mul(p, b[i]!)))));
  const factor = freeLength
    ? stopGradient(div(maximum(product(candidates, targets), 0), maximum(product(candidates, candidates), SMALLEST)))
    : 1;
  const rest = candidates.map((gradient, i) => {
    const g = mul(gradient, factor);
    return sub(g, slack ? nearest(g, targets[i]!, slack[i]!) : targets[i]!);
  });
  const misfit = product(rest, rest);
  const nats = smooth ? add(misfit, mul(totalVariation(x), sizeOf(x.shape) / NEIGHBOURS)) : misfit;
  return div(nats, stopGradient(maximum(product(targets, targets), SMALLEST)));
}

const NEIGHBOURS = 0.06; // b, in [0,1]: the embedded photographs have 0.053 at 32 × 32 and 0.067 at 16 × 16; our choice

/** What the attack's own distance is about, of a candidate without gradient; 1 for a sum of squares. */
function scaleOf({ candidates }: Match, { l1Weight, cosineWeight, distanceScope }: DistanceSettings): number {
  const weight = l1Weight + cosineWeight || 1;
  return distanceScope === "per-tensor" ? weight * candidates.length : weight;
}
