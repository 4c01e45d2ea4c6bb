import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** One image through a small convolutional network, solved backwards layer by layer. */
export const rGap: Preset = definePreset({
  name: "r-gap",
  about: "closed form: one image, from the last layer back to the first, a linear system a layer",
  source: "Zhu and Blaschko, “R-GAP: recursive gradient attack on privacy”, ICLR 2021",
  requires: ["batch-size"],
  settings: {
    method: paper("r-gap", "Algorithm 1"),
    iterations: ours(1, "one solution, no search"),
  },
});
