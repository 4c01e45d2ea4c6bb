import {
  add,
  broadcastTo,
  cast,
  equal,
  max,
  maximum,
  minimum,
  mul,
  type Node,
  square,
  sub,
  sum,
  variance,
} from "../../../graph/index.ts";
import { sizeOf } from "../../../tensor/index.ts";
import { largestMasks, nonZero, others, summed, total } from "./tensors.ts";
import type { Counterpart } from "./types.ts";

/**
 * Finds the noised columns, which have no zero, and weighs them by their tensor's noise; elsewhere only what is not 0 is compared.
 *
 * The candidate is pruned likewise. Where the update has no zero at all, the defence did not act, and nothing is re-applied.
 */
export const outpost: Counterpart = (match, { prune, noise, fisher }, { clients, later, weights }) => {
  if (clients > 1 || later.length > 0) return undefined;
  const acted = minimum(total(match.targets.map((t) => sum(others(nonZero(t))))), 1);
  const noisy = match.targets.map((t) => (Number(fisher) > 0 ? mul(columnsWithoutZero(t), acted) : mul(t, 0)));
  const masks = match.targets.map((t, i) => maximum(nonZero(t), noisy[i]!));
  const variances = match.targets.map((t, i) => {
    const deviation = mul(minimum(variance(weights[i]!), 1), Number(noise));
    const exact = mul(max(square(t)), EXACT ** 2);
    return add(mul(noisy[i]!, square(deviation)), maximum(exact, SMALLEST));
  });
  const candidates = match.candidates.map((g) => {
    const size = sizeOf(g.shape);
    const [kept] = largestMasks([g], size - Math.ceil((Number(prune) / 100) * (size - 1)));
    return mul(g, sub(1, mul(acted, others(kept!))));
  });
  return {
    match: {
      ...match,
      candidates,
      masks: match.masks ? match.masks.map((m, i) => mul(m, masks[i]!)) : masks,
      variances: summed(match.variances, variances),
    },
    about: "prunes its own gradient and weighs by the noise, which it finds in columns without a zero",
  };
};

const EXACT = 0.01; // what is sent without noise counts as known to this share of the tensor's largest entry; our choice
const SMALLEST = 1e-20; // where a tensor is all zeros

/** 1 in the columns (along the first axis; a vector is one column) that hold no zero. */
function columnsWithoutZero(t: Node): Node {
  const zeros = sum(others(nonZero(t)), t.shape.length > 1 ? [0] : undefined, { keepDims: true });
  return broadcastTo(cast(equal(zeros, 0)), t.shape);
}
