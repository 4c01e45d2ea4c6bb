import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** Generative gradient leakage: the latent vectors of a decoder trained on public images. */
export const ggl: Preset = definePreset({
  name: "ggl",
  about: "latent vectors of a trained decoder, squared difference, CMA-ES",
  source: "Li et al., “Auditing privacy defenses in federated learning via generative gradient leakage”, CVPR 2022",
  requires: ["batch-size", "public-data"],
  settings: {
    parameterisation: paper("latent", "x = G(tanh z) with a generator trained on public images"),
    l2Weight: paper(1, "squared differences; the mean over tensors is a factor that no rank depends on"),
    optimiser: paper("cma-es", "its best; --optimiser adam with step size 0.1 is its other choice"),
    learningRate: ours(0.5, "the first spread of CMA-ES; not stated at hand"),
    population: paper(50, "50 points in each of 500 generations"),
    labelRule: ours("auto", "not stated at hand"),
    labels: ours("inferred", "inferred first, as the paper's"),
    iterations: paper(500, "generations"),
  },
});
