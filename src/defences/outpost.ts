import { normal, split, uniform } from "../util/index.ts";
import { percentile } from "./magnitude.ts";
import { FROM_ZERO, number, PERCENT } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * With probability 1/(1 + β·iteration): each tensor is pruned, and noise is added where it tells most.
 *
 * risk = min(Var(w), 1) of the tensor's weights; F = mean over the first axis of g²; entries with |g| under the prune
 * percentile become 0; where F is among its top φ %, N(0, (risk·noise)²) is added. Source: Wang, Hugh, Li, OUTPOST, IEEE/ACM ToN 2024, as
 * METHODS 3 gives it. Differs: that the percentile is of |g| and that risk·noise is the deviation is our reading; a bias has one F.
 */
export const outpost = defineDefence({
  name: "outpost",
  about: "prunes small entries and adds noise to the most telling ones, in layers by risk, less often in later steps",
  source: "Wang, Hugh, Li, OUTPOST, IEEE/ACM Transactions on Networking 2024",
  claim:
    "where it acts, noise goes only to entries whose Fisher value is in the top share; elsewhere small entries are 0",
  stage: "update",
  settings: {
    beta: number(0.125, FROM_ZERO, "how fast it acts less often; idle where iteration is 0", "source"),
    iteration: number(0, { from: 0, whole: true }, "the client's local step, from 0"),
    fisher: number(40, PERCENT, "φ, the share, in %, of each tensor that noise goes to", "source"),
    prune: number(80, PERCENT, "the percentile of magnitudes under which entries are zeroed", "source"),
    noise: number(0.8, FROM_ZERO, "the noise's deviation where the risk is 1", "source"),
  },
  apply(update, { settings, key, step }) {
    const { beta, iteration, fisher, prune, noise } = settings;
    if (uniform(split(key, "act"), 1)[0]! >= 1 / (1 + beta * iteration)) return update;
    return mapTensors(update, (data, name) => {
      const least = percentile(data.map(Math.abs), prune);
      const telling = fisherOf(data, update[name]!.shape[0] ?? 1);
      const top = percentile(telling, 100 - fisher);
      const deviation = Math.min(varianceOf(step.weights.params[name]!.data), 1) * noise;
      const draws = normal(split(key, name), data.length);
      return data.map((value, i) => {
        const kept = Math.abs(value) < least ? 0 : value;
        return fisher > 0 && telling[i % telling.length]! >= top ? kept + deviation * draws[i]! : kept;
      });
    });
  },
});

/** The mean of g² over the first axis of length `rows`: as many numbers as the rest has. */
function fisherOf(data: Float32Array, rows: number): Float64Array {
  const size = data.length / rows;
  const mean = new Float64Array(size);
  data.forEach((value, i) => {
    mean[i % size]! += (value * value) / rows;
  });
  return mean;
}

function varianceOf(data: Float32Array): number {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length;
}
