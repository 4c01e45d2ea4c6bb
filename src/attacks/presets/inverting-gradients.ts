import { ours, type Preset, paper, source } from "../preset.ts";

const CODE = "the authors' program, option"; // github.com/JonasGeiping/invertinggradients

/** Inverting Gradients: cosine similarity, total variation and signed Adam steps. */
export const invertingGradients: Preset = {
  name: "inverting-gradients",
  about: "cosine similarity and total variation, signed Adam steps on pixels",
  source: "Geiping et al., “Inverting gradients: how easy is it to break privacy in federated learning?”, NeurIPS 2020",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Equation 4"),
    generatorChannels: ours(64, "unused by pixels"),
    generatorLatent: ours(128, "unused by pixels"),
    init: source("normal", `${CODE} init: randn; there on normalised images, here on [0,1]`),
    l1Weight: paper(0, "not part of its loss"),
    cosineWeight: paper(1, "Equation 4"),
    l2Weight: paper(0, "not part of its loss"),
    distanceScope: paper("global", "one cosine over all parameters"),
    maskRatio: paper(1, "all entries are matched"),
    maskScope: paper("none", "all entries are matched"),
    tv: source(1e-4, `${CODE} --tv; published values go from 1e-4 to 1e-1 with the network`),
    activationPenalty: paper(0, "not part of its loss"),
    gamma: paper(0, "no look-ahead"),
    lookahead: ours("descent", "unused: γ is 0"),
    lookaheadStep: ours(0.1, "unused: γ is 0"),
    optimiser: paper("adam", "on signed gradients"),
    learningRate: source(0.1, `${CODE} lr`),
    weightDecay: source(0, "Adam as PyTorch has it"),
    signed: paper(true, "signed gradients"),
    schedule: source("step", `${CODE} lr_decay: a tenth at 3/8, 5/8 and 7/8 of the iterations`),
    warmUp: source(0, "none"),
    clamp: source(true, `${CODE} boxed`),
    labels: ours("inferred", "the paper takes labels as known; this holds when they are not granted"),
    labelLearningRate: ours(0.1, "unused unless labels are optimised; as the images'"),
    medianFilter: source(0, `${CODE} filter: none`),
    medianFilterFrom: ours(64, "unused without a filter"),
    iterations: paper(4800, "the experiments use 4800 to 24 000"),
  },
};
