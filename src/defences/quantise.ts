import { split, uniform } from "../util/index.ts";
import { number } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * Each entry rounded at random to a neighbouring level: sign(g) · max|g| · k/(L−1), L = 2^bits, k next to |g|/max|g| · (L−1).
 *
 * Per tensor, and unbiased: the chance of the upper level is the fraction. Source: Alistarh et al., QSGD, NeurIPS 2017, with the
 * maximum in the place of the norm; the levels are our reading of METHODS 3.
 */
export const quantise = defineDefence({
  name: "quantise",
  about: "rounds each entry at random to one of few levels of its tensor",
  source: "Alistarh et al., QSGD, NeurIPS 2017",
  claim:
    "a tensor has at most 2^bits magnitudes, evenly spaced from 0 to its largest; the mean over draws is the update",
  stage: "update",
  settings: { bits: number(4, { from: 1, to: 16, whole: true }, "the bits b of a magnitude: 2^b levels") },
  apply: (update, { settings: { bits }, key }) =>
    mapTensors(update, (data, name) => {
      const top = data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      if (top === 0) return data;
      const steps = 2 ** bits - 1;
      const draws = uniform(split(key, name), data.length);
      return data.map((value, i) => {
        const level = (Math.abs(value) / top) * steps;
        const whole = Math.floor(level);
        return Math.sign(value) * top * ((whole + (draws[i]! < level - whole ? 1 : 0)) / steps);
      });
    }),
});
