import { abs, add, broadcastTo, div, max, maximum, mean, mul, stopGradient, tanh } from "../../../graph/index.ts";
import { seen } from "./hidden.ts";
import { summed } from "./tensors.ts";
import type { Counterpart, Scene } from "./types.ts";

/** Each entry was moved by less than one step of its tensor's levels: within that, nothing is known. */
export const quantise: Counterpart = (match, { bits }, scene) => {
  if (scene.later.some(({ name, settings }) => name === "selective-encryption" || settings.side === "bottom")) {
    return undefined; // the largest entry, which the levels follow from, is hidden
  }
  if (drawnLater(scene)) return { match, about: "takes the rounding as it is: it is unbiased" };
  const steps = match.targets.map((t) => broadcastTo(div(max(abs(t)), 2 ** Number(bits) - 1), t.shape));
  if (match.variances) {
    const variances = match.variances.map((v, i) => add(v, mul(mul(steps[i]!, steps[i]!), ROUNDING)));
    return { match: { ...match, variances }, about: "adds the variance of the rounding to that of the noise" };
  }
  return {
    match: { ...match, slack: summed(match.slack, steps) },
    about: "lets each entry be anything that its level can come from",
  };
};

const ROUNDING = 1 / 6; // the mean of f(1 − f) over fractions f: stochastic rounding's variance in squared steps

/** Only signs were sent, with or without the tensor's mean magnitude. */
export const sign: Counterpart = (match, { scale }, scene) => {
  if (scene.clients > 1) return undefined;
  if (!drawnLater(scene)) {
    const told = match.slack ? seen(match) : match; // where entries are hidden or rounded, 0 is no sign
    const signs = scale === "mean" ? "with-mean" : "alone";
    return { match: { ...told, signs, untold: 1 }, about: "matches the signs" };
  }
  const candidates = match.candidates.map((g) => {
    const size = mean(abs(g));
    return mul(tanh(div(g, maximum(mul(stopGradient(size), SHARPNESS), SMALLEST))), scale === "mean" ? size : 1);
  });
  return { match: { ...match, candidates }, about: "sends smooth signs itself" };
};

const SHARPNESS = 0.1; // our choice: entries above a tenth of the tensor's mean magnitude count as ±1
const SMALLEST = 1e-12;

/** Whether noise or other clients' entries come later, so that levels and signs cannot be told from what is observed. */
function drawnLater({ later, clients }: Scene): boolean {
  return clients > 1 || later.some(({ name }) => DRAWS.has(name));
}

const DRAWS: ReadonlySet<string> = new Set(["gaussian-dp", "outpost"]);
