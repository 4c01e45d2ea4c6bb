import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** CI-Net: an untrained over-parameterised generator with the cosine loss; the control that FedLeak's release lacks. */
export const ciNet: Preset = definePreset({
  name: "ci-net",
  about: "an untrained generator, cosine similarity, signed Adam steps",
  source:
    "Zhang et al., “Generative gradient inversion via over-parameterized networks in federated learning”, ICCV 2023",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("generator", "a network without training, its weights are optimised"),
    generatorChannels: ours(64, "that of fedleak-release, so that the two differ in the attack alone"),
    generatorLatent: ours(128, "that of fedleak-release"),
    cosineWeight: paper(1, "cosine distance of all parameters"),
    distanceScope: paper("global", "one cosine"),
    tv: ours(1e-5, "as fedleak-release"),
    optimiser: paper("adam", "on signed gradients"),
    signed: paper(true, "signed gradients"),
    learningRate: paper(1e-3, "the paper's step size"),
    labelRule: ours("auto", "the paper knows the labels"),
    labels: ours("inferred", "the paper takes labels as known; this holds when they are not granted"),
    iterations: ours(10_000, "not at hand; as fedleak"),
  },
});
