import { definePreset, ours, type Preset, paper, source } from "../preset.ts";

/** The Bayesian attack for an undefended gradient or Gaussian noise: the most probable image under the noise and TV. */
export const bayes: Preset = definePreset({
  name: "bayes",
  about: "likelihood of known Gaussian noise and total variation, fast falling Adam steps on pixels",
  source: "Balunović et al., “Bayesian framework for gradient leakage”, ICLR 2022",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Section 4"),
    init: source("normal", "the authors' program"),
    l2Weight: paper(1, "Gaussian noise: −log p(ĝ|g′) is ‖ĝ − g′‖² but for a factor; for Laplace noise set l1Weight"),
    tv: ours(1e-3, "the weight of log p(x) is tuned by defence in the paper"),
    optimiser: paper("adam", "Section 5"),
    learningRate: source(0.5, "the authors' program"),
    schedule: source("exponential", "the authors' program: times 0.94 again and again"),
    scheduleFloor: ours(0.045, "0.94⁵⁰: fifty decays over the run"),
    clamp: source(true, "the authors' program"),
    labelRule: ours("auto", "the paper knows the labels"),
    labels: ours("inferred", "the paper takes labels as known; this holds when they are not granted"),
    iterations: ours(1000, "tuned by defence in the paper"),
  },
});
