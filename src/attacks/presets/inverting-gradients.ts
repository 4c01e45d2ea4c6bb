import { definePreset, ours, type Preset, paper, source } from "../preset.ts";

const CODE = "the authors' program, option"; // github.com/JonasGeiping/invertinggradients

/** Inverting Gradients: cosine similarity, total variation and signed Adam steps. */
export const invertingGradients: Preset = definePreset({
  name: "inverting-gradients",
  about: "cosine similarity and total variation, signed Adam steps on pixels",
  source: "Geiping et al., “Inverting gradients: how easy is it to break privacy in federated learning?”, NeurIPS 2020",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Equation 4"),
    init: source("normal", `${CODE} init: randn; there on normalised images, here on [0,1]`),
    cosineWeight: paper(1, "Equation 4"),
    distanceScope: paper("global", "one cosine over all parameters"),
    tv: source(1e-4, `${CODE} --tv; published values go from 1e-4 to 1e-1 with the network`),
    optimiser: paper("adam", "on signed gradients"),
    learningRate: source(0.1, `${CODE} lr`),
    signed: paper(true, "signed gradients"),
    schedule: source("step", `${CODE} lr_decay: a tenth at 3/8, 5/8 and 7/8 of the iterations`),
    clamp: source(true, `${CODE} boxed`),
    restarts: ours(1, "the paper restarts where it can afford to"),
    labelRule: ours("auto", "the paper knows the labels"),
    labels: ours("inferred", "the paper takes labels as known; this holds when they are not granted"),
    iterations: paper(4800, "the experiments use 4800 to 24 000"),
  },
});
