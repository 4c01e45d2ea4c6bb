import {
  broadcastTo,
  div,
  max,
  maximum,
  minimum,
  mul,
  type Node,
  scalar,
  sqrt,
  square,
  stopGradient,
  sum,
} from "../../../graph/index.ts";
import { summed, total } from "./tensors.ts";
import type { Counterpart, Match } from "./types.ts";

/** The whole update clipped, then noise of a known deviation. */
export const gaussianDp: Counterpart = (match, { clip, sigma }, { clients }) => {
  const noisy = withNoise(match, (Number(sigma) * Number(clip)) ** 2 / clients);
  if (clients > 1) return { match: { ...noisy, freeLength: true }, about: UNCLIPPED };
  return {
    match: { ...noisy, candidates: clipped(match.candidates, Number(clip)) },
    about: "clips its own gradient and weighs by the known noise",
  };
};

/** The gradient of each image clipped, then noise of a known deviation on their mean. */
export const perImage: Counterpart = (match, { clip, sigma }, { batchSize, clients, imageGradients }) => {
  const own = batchSize / clients; // images of one client
  const noisy = withNoise(match, ((Number(sigma) * Number(clip)) / own) ** 2 / clients);
  if (!imageGradients) return { match: { ...noisy, freeLength: true }, about: UNCLIPPED };
  const each = imageGradients().map((gradient) => clipped(gradient, Number(clip)));
  const candidates = match.candidates.map((_, i) => div(total(each.map((gradient) => gradient[i]!)), each.length));
  return {
    match: { ...noisy, candidates },
    about: "clips the gradient of each of its images and weighs by the known noise",
  };
};

/**
 * Noise in proportion to each entry; among several clients it is gone from the mean.
 *
 * Iteratively re-weighted least squares: each step takes the variances from the candidate's own entries and does not
 * differentiate through them. So it is no likelihood, which would have their logarithm too (our choice).
 */
export const zeroSumNoise: Counterpart = (match, { strength }, { clients }) => {
  if (clients > 1) return { match, about: "has nothing to do: the noise is gone from the mean" };
  if (Number(strength) === 0) return { match, about: "has nothing to do: there is no noise" };
  const variances = match.candidates.map((g, i) => {
    const least = broadcastTo(mul(max(square(match.targets[i]!)), LEAST ** 2), g.shape);
    return mul(maximum(stopGradient(square(g)), least), Number(strength) ** 2);
  });
  return {
    match: { ...match, variances: summed(match.variances, variances) },
    about: "weighs by the noise of each entry",
  };
};

const UNCLIPPED = "weighs by the known noise, and allows for the clipping by one factor only";
const LEAST = 1e-2; // of a tensor's largest magnitude; our choice: keeps weights of entries near 0 finite
const SMALLEST_NORM = 1e-12; // keeps the derivative finite at a gradient of zeros

function withNoise(match: Match, variance: number): Match {
  return {
    ...match,
    variances: summed(
      match.variances,
      match.targets.map((t) => broadcastTo(scalar(variance), t.shape)),
    ),
  };
}

/** g / max(1, ‖g‖/clip) over all tensors together. */
function clipped(gradient: readonly Node[], clip: number): Node[] {
  const norm = sqrt(maximum(total(gradient.map((g) => sum(square(g)))), SMALLEST_NORM ** 2));
  const factor = minimum(div(clip, norm), 1);
  return gradient.map((g) => mul(g, factor));
}
