import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** ROG: a small image is searched for, and a learned network adds what it lacks. */
export const rog: Preset = definePreset({
  name: "rog",
  about: "an image four times smaller, squared difference, then a trained restorer",
  source:
    "Yue et al., “Gradient obfuscation gives a false sense of security in federated learning”, USENIX Security 2023",
  requires: ["batch-size", "public-data"],
  settings: {
    parameterisation: paper("low-resolution", "bicubic enlargement of the unknown"),
    downscale: paper(4, "Section 4"),
    init: ours("uniform", "not stated at hand"),
    l2Weight: paper(1, "squared differences"),
    localModel: paper("unrolled", "simulates the local steps of FedAvg"),
    optimiser: paper("adam", "Section 5"),
    learningRate: paper(0.05, "Section 5"),
    schedule: paper("cosine", "falling to a tenth"),
    scheduleFloor: paper(0.1, "falling to a tenth"),
    clamp: ours(true, "keeps the small image a picture"),
    labelRule: ours("auto", "not stated at hand"),
    labels: ours("inferred", "when they are not granted"),
    restore: paper(true, "the post-processor; here the restorer of the prior"),
    iterations: paper(100, "Section 5"),
  },
});
