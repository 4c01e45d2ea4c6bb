import { definePreset, ours, type Preset } from "../preset.ts";

/**
 * Our own: the generator as a prior, one cosine of the whole gradient, one evaluation a step, labels by the rule that
 * explains the update best, and the contrast that BatchNorm hides set by what photographs have in common.
 *
 * Every value was chosen on images that no table shows; docs/fedleak-plus.md says what each part brings.
 */
export const fedleakPlus: Preset = definePreset({
  name: "fedleak-plus",
  about: "an untrained generator, one cosine, signed steps without look-ahead, and the contrast that BatchNorm hides",
  source: "fedleak's own; ci-net's search with a rule for labels and contrast",
  requires: ["batch-size"],
  settings: {
    parameterisation: ours("generator", "carries the trained ReLU setting: pixels alone reach 10 dB there"),
    generatorChannels: ours(64, "as steady as 32 on trained networks, better on smooth ones"),
    generatorLatent: ours(128, "as fedleak-release"),
    cosineWeight: ours(1, "one cosine of all parameters; a sum over tensors loses 3 dB"),
    distanceScope: ours("global", "so that tensors count by their size; weights by tensor bring nothing"),
    tv: ours(1e-5, "as fedleak-release; more or less changes little"),
    optimiser: ours("adam", "on signed gradients"),
    signed: ours(true, "3 dB over plain Adam at the same step size"),
    learningRate: ours(0.001, "as ci-net; 0.002 and 0.005 win on some batches and lose on others"),
    labels: ours("inferred", "when they are not granted"),
    labelRule: ours("auto", "repeated labels and trained networks break the simple rules"),
    stretch: ours(
      true,
      "+4.3 and −0.6 dB on two batches through a smooth network, at no evaluation; takes for granted that a batch spans [0,1]",
    ),
    iterations: ours(1000, "gains little after"),
  },
});
