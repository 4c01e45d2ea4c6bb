import { definePreset, ours, type Preset, source } from "../preset.ts";

/** The images that a first linear layer spells out in its gradient: no search, no weights tampered with. */
export const linearLeak: Preset = definePreset({
  name: "linear-leak",
  about: "closed form: x = dW/db of a first linear layer, exact for one image, several where a ReLU is silent",
  source:
    "Phong et al. 2017; Geiping et al., “Inverting gradients”, NeurIPS 2020, Proposition 3.1; for several images Boenisch et al. 2023, passive",
  requires: ["batch-size"],
  settings: {
    method: source("linear-leak", "Proposition 3.1 of Geiping et al."),
    iterations: ours(1, "one solution, no search"),
  },
});
