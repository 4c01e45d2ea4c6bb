import { definePreset, ours, type Preset } from "../preset.ts";

/**
 * Our own: the generator as a prior, one cosine of the whole gradient, one evaluation a step, labels by the rule that
 * explains the update best, and a polish of the pixels that is kept only where it lowers the attack's own loss.
 *
 * Every value was chosen on images that no table shows; docs/fedleak-plus.md says what each part brings.
 */
export const fedleakPlus: Preset = definePreset({
  name: "fedleak-plus",
  about: "an untrained generator, one cosine, signed steps without look-ahead, then a polish of the pixels",
  source: "fedleak's own; parts of ci-net, fedleak-release and inverting-gradients",
  requires: ["batch-size"],
  settings: {
    parameterisation: ours("generator", "carries the trained ReLU setting: pixels alone reach 10 dB there"),
    generatorChannels: ours(32, "wide enough for a batch of 32 px images; 16 and 64 lose about a decibel or two"),
    generatorLatent: ours(128, "as fedleak-release"),
    cosineWeight: ours(1, "one cosine of all parameters; a sum over tensors loses 3 dB"),
    distanceScope: ours("global", "so that tensors count by their size"),
    tv: ours(1e-5, "as fedleak-release; more or less changes little"),
    optimiser: ours("adam", "on signed gradients"),
    signed: ours(true, "3 dB over plain Adam at the same step size"),
    learningRate: ours(0.005, "0.003 does as well, 0.01 loses half a decibel, 0.02 two"),
    schedule: ours("cosine", "the last steps are small, so no averaging is needed"),
    clamp: ours(true, "acts in the polish"),
    labels: ours("inferred", "when they are not granted"),
    labelRule: ours("auto", "repeated labels and trained networks break the simple rules"),
    polish: ours(0.4, "gains several decibels on smooth networks and is dropped where it would lead astray"),
    polishLearningRate: ours(0.03, "0.02 gains less, 0.05 and 0.1 lose on some batches"),
    iterations: ours(1000, "gains little after"),
  },
});
