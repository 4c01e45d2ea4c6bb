import { definePreset, ours, type Preset, paper, release } from "../preset.ts";

/**
 * FedLeak as its authors' released program runs it, known from public descriptions: it differs from the paper in what
 * is optimised, in the loss and in the update. Its demo also knows the true labels (grant "labels" for that) and
 * attacks a network with sigmoids, random weights and BatchNorm in train mode: those belong to the client, not here.
 */
export const fedleakRelease: Preset = definePreset({
  name: "fedleak-release",
  about: "an untrained generator, per-tensor partial matching, blended signed steps",
  source: "FedLeak's released program (Zenodo 10.5281/zenodo.15532455), as public re-runs describe it",
  requires: ["batch-size"],
  settings: {
    parameterisation: release("generator", "G_θ(z) with θ optimised"),
    generatorChannels: ours(
      64,
      "the release's 256 suit its 128 pixels; at 32, 300 steps reach 17.9 dB with them, 29.3 with 64",
    ),
    generatorLatent: release(128, "one vector an image, fixed"),
    l1Weight: release(1, "mean of the masked absolute difference, summed over tensors"),
    cosineWeight: release(1, "summed over tensors"),
    distanceScope: release("per-tensor", "every parameter tensor has equal weight"),
    maskRatio: release(0.5, "entries at or above the median magnitude"),
    maskScope: release("per-tensor", "the median of each tensor"),
    tv: release(1e-5, "weight of the total variation"),
    gamma: release(0.3, "0.7 of the sign here, 0.3 of the sign ahead"),
    lookahead: release("descent", "after a trial step of the optimiser"),
    optimiser: release("adamw", "for the trial and the real step"),
    learningRate: release(1e-2, "before the schedule"),
    weightDecay: ours(0.01, "not described; PyTorch's default for AdamW"),
    signed: release(true, "both gradients, before they are blended"),
    schedule: release("cosine", "annealed over the run"),
    labelRule: paper("paper", "Section 5; its demo is given the true labels"),
    labels: ours("inferred", "its demo is given the true labels; this holds when they are not granted"),
    medianFilter: release(5, "a 5 × 5 median filter over the result"),
    medianFilterFrom: ours(64, "its images have 128 pixels; at 32 the filter alone takes CIFAR photos to 23.3 dB"),
    iterations: ours(10_000, "not described; the paper's number"),
  },
});
