import { weightedMean } from "../fl/index.ts";
import { type Key, normal, split } from "../util/index.ts";
import { COUNT, FROM_ZERO, number } from "./settings.ts";
import { defineDefence, type Update } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * The server sees only the mean of the updates of U clients: (1/U) Σ_u g_u.
 *
 * Stands for a protocol whose sum is all that is revealed; no cryptography runs here. All clients have equally many images.
 * Source: Bonawitz et al., CCS 2017; FedLeak, Figure 7.
 */
export const secureAggregation = defineDefence({
  name: "secure-aggregation",
  about: "shows the server only the mean of several clients' updates; the batch holds the images of all of them",
  source: "Bonawitz et al., Practical secure aggregation, CCS 2017; FedLeak, Figure 7",
  claim: "what the server sees is the mean of the clients' updates and nothing else",
  stage: "clients",
  settings: { clients: number(2, COUNT, "the number of clients U in the sum, which divides the batch", "paper") },
  clients: ({ clients }) => clients,
  apply: (updates) => [weightedMean(updates.map((tensors) => ({ tensors, weight: 1 })))],
});

/**
 * Each client adds noise in proportion to its entries, n_u = strength · |g_u| · N(0,1), and hands −n_u to the next, who adds it too.
 *
 * Client u sends g_u + n_u − n_{u−1}, so the sum over clients is that of the g_u. One client alone adds its own noise and receives
 * none: the least a server could see of it. Source: FedLeak, Section 7, which names no formula: the form and the ring are ours.
 */
export const zeroSumNoise = defineDefence({
  name: "zero-sum-noise",
  about: "adds noise in proportion to each entry, which another client takes away again",
  source: "FedLeak, Section 7; the formula is ours",
  claim:
    "among several clients the sum of updates is preserved; the noise of an entry has deviation strength × |entry|",
  stage: "clients",
  settings: { strength: number(1, FROM_ZERO, "the noise's deviation in units of the entry's magnitude") },
  clients: () => 1,
  apply: (updates, { settings: { strength }, key }) => {
    const noise = updates.map((update, u) => noiseOf(update, strength, split(key, u)));
    return updates.map((update, u) => {
      const received = noise.at(u - 1)!; // the ring: the first receives the last one's
      const taken = updates.length > 1 ? 1 : 0;
      return mapTensors(update, (data, name) => {
        const [own, other] = [noise[u]![name]!.data, received[name]!.data];
        return data.map((value, i) => value + own[i]! - taken * other[i]!);
      });
    });
  },
});

function noiseOf(update: Update, strength: number, key: Key): Update {
  return mapTensors(update, (data, name) => {
    const draws = normal(split(key, name), data.length);
    return data.map((value, i) => strength * Math.abs(value) * draws[i]!);
  });
}
