import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** GradInversion: squared differences with image priors, noise in each step and several seeds that must agree. */
export const gradInversion: Preset = definePreset({
  name: "grad-inversion",
  about: "squared difference, total variation, BatchNorm statistics where granted, Langevin noise, several seeds",
  source: "Yin et al., “See through gradients: image batch recovery via GradInversion”, CVPR 2021",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Equation 3"),
    init: paper("normal", "Section 3"),
    l2Weight: paper(1e-3, "Section 4: α_G; Σ_l ‖g′_l − ĝ_l‖²"),
    tv: paper(1e-4, "Section 4: α_TV"),
    l2Prior: paper(1e-6, "Section 4: α_ℓ2"),
    bnPrior: paper(0.1, "Section 4: α_BN; only where bn-statistics are granted"),
    langevin: paper(0.2, "Section 4: α_n, times the step size"),
    optimiser: paper("adam", "Section 4"),
    learningRate: paper(0.1, "Section 4"),
    schedule: paper("cosine", "Section 4: cosine decay after the warm-up"),
    warmUp: paper(50, "Section 4: 50 iterations"),
    clamp: ours(true, "the paper clips to the data's range at the end; here after each step"),
    labels: paper("inferred", "Section 3.2"),
    labelRule: paper("yin", "Equation 6: the minimum over features of each row"),
    restarts: ours(2, "the paper runs 8 seeds or more; two show their effect at a bearable cost"),
    consensus: ours(
      "mean",
      "the paper draws seeds towards their mean, Section 3.4; that it is the result is our reading",
    ),
    groupConsistency: paper(0.01, "Section 4: α_group"),
    iterations: paper(20_000, "Section 4"),
  },
});
