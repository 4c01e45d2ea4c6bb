import { classicalSigma } from "./accountant.ts";
import { ABOVE_ZERO, FROM_ZERO, number, OPEN_UNIT } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { addNormal, clipTo } from "./update-arithmetic.ts";

/**
 * The whole update, clipped, plus Gaussian noise: g / max(1, ‖g‖/C) + N(0, σ²C²), σ = sqrt(2 ln(1.25/δ))/ε unless given.
 *
 * Each client is one record, so BatchNorm may couple its images. Source: Dwork and Roth 2014, Theorem A.1; Geyer et al. 2017 (the client as
 * the record). Differs: the paper's settings are lost; ours are marked.
 */
export const gaussianDp = defineDefence({
  name: "gaussian-dp",
  about: "clips the whole update and adds Gaussian noise by the classical bound, for epsilon below 1",
  source: "Dwork and Roth, Foundations of Differential Privacy 2014, Theorem A.1; Geyer et al. 2017",
  claim: "before the noise no update is longer than clip; the noise has deviation sigma × clip in each entry",
  stage: "update",
  settings: {
    epsilon: number(0.5, ABOVE_ZERO, "the privacy loss ε of one update, below 1; idle where sigma is given"),
    delta: number(1e-5, OPEN_UNIT, "the chance δ that the loss is larger"), // METHODS 3
    clip: number(1, ABOVE_ZERO, "the length C that an update is clipped to"), // METHODS 3
    sigma: number(0, FROM_ZERO, "the noise in units of clip; 0: by epsilon and delta"),
  },
  check: (settings) => void sigmaOf(settings),
  known: (settings) => ({ ...settings, sigma: sigmaOf(settings) }),
  tells: (settings) =>
    `sigma ${sigmaOf(settings).toPrecision(4)}, for one update of one client; neighbours: one client added or removed`,
  apply: (update, { settings, key }) =>
    addNormal(clipTo(update, settings.clip), sigmaOf(settings) * settings.clip, key),
});

interface Budget {
  readonly epsilon: number;
  readonly delta: number;
  readonly sigma: number;
}

function sigmaOf({ epsilon, delta, sigma }: Budget): number {
  return sigma > 0 ? sigma : classicalSigma(epsilon, delta);
}
