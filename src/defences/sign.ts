import { choice } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * One bit an entry: s · sign(g), with s the tensor's mean |g| (its L1 norm stays the same), or 1.
 *
 * Source: Bernstein et al., signSGD, ICML 2018 (s = 1); Karimireddy et al., ICML 2019 (s = mean |g|). Differs: no residual is kept.
 */
export const signOnly = defineDefence({
  name: "sign",
  about: "keeps only the sign of each entry",
  source: "Bernstein et al., signSGD, ICML 2018; Karimireddy et al., ICML 2019",
  claim: "the entries of a tensor have one magnitude and the update's signs; with the mean as scale, its L1 norm too",
  stage: "update",
  settings: { scale: choice(["mean", "one"], "the magnitude of all entries: the tensor's mean, or 1") },
  apply: (update, { settings: { scale } }) =>
    mapTensors(update, (data) => {
      const size = scale === "one" ? 1 : data.reduce((sum, value) => sum + Math.abs(value), 0) / data.length;
      return data.map((value) => Math.sign(value) * size);
    }),
});
