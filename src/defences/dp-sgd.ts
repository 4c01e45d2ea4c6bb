import { sigmaFor } from "./accountant.ts";
import { ABOVE_ZERO, COUNT, FROM_ZERO, number, OPEN_UNIT, SHARE } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { addNormal, clipTo } from "./update-arithmetic.ts";

/**
 * Each image's gradient clipped, their mean, plus Gaussian noise: (1/B) Σ_b g_b / max(1, ‖g_b‖/C) + N(0, σ²C²)/B.
 *
 * σ is the least that keeps `rounds` releases at sampling `rate` within (ε, δ), by the Rényi accountant, unless it is given.
 * Source: Abadi et al., CCS 2016, Algorithm 1; accounting: Mironov 2017, 2019. Differs: divides by B, not by its expectation.
 */
export const dpSgd = defineDefence({
  name: "dp-sgd",
  about: "clips the gradient of each image and adds Gaussian noise to their mean, accounted over all rounds",
  source: "Abadi et al., Deep learning with differential privacy, CCS 2016; Mironov, CSF 2017",
  claim: "no image moves the sum by more than clip; the noise has deviation sigma × clip / B in each entry",
  stage: "example-gradient",
  settings: {
    epsilon: number(5, ABOVE_ZERO, "the privacy loss ε of an image over all rounds; idle where sigma is given"),
    delta: number(1e-5, OPEN_UNIT, "the chance δ that the loss is larger"), // METHODS 3
    clip: number(1, ABOVE_ZERO, "the length C that the gradient of an image is clipped to"), // METHODS 3
    rounds: number(1, COUNT, "the updates that are accounted for; idle where sigma is given"),
    rate: number(1, SHARE, "the share of the client's images that is in one batch; idle where sigma is given"),
    sigma: number(0, FROM_ZERO, "the noise in units of clip; 0: by the accountant"),
  },
  check: (settings) => void sigmaOf(settings),
  known: (settings) => ({ ...settings, sigma: sigmaOf(settings) }),
  tells: (settings) =>
    `sigma ${sigmaOf(settings).toPrecision(4)}; neighbours: one image added or removed${settings.rate < 1 ? "; images drawn independently is assumed" : ""}`,
  each: (gradient, { clip }) => clipTo(gradient, clip),
  apply: (mean, { settings, key, step }) =>
    addNormal(mean, (sigmaOf(settings) * settings.clip) / step.labels.length, key),
});

interface Budget {
  readonly epsilon: number;
  readonly delta: number;
  readonly rounds: number;
  readonly rate: number;
  readonly sigma: number;
}

function sigmaOf({ sigma, ...budget }: Budget): number {
  return sigma > 0 ? sigma : sigmaFor(budget);
}
