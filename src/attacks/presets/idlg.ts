import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** Improved deep leakage: the label from the sign of the last layer's gradient, then L-BFGS on the images alone. */
export const idlg: Preset = definePreset({
  name: "idlg",
  about: "the label in closed form, squared difference, L-BFGS on pixels",
  source: "Zhao et al., “iDLG: improved deep leakage from gradients”, arXiv 2001.02610, 2020",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Algorithm 1"),
    init: paper("normal", "Algorithm 1"),
    l2Weight: paper(1, "Algorithm 1: ‖∇W′ − ∇W‖²"),
    optimiser: paper("l-bfgs", "Section 4; the strong Wolfe line search is our choice, PyTorch's default has none"),
    learningRate: paper(1, "Section 4"),
    history: ours(100, "PyTorch's default, as in DLG"),
    labels: paper("inferred", "Section 3.2: the row of the last layer's gradient whose sign differs"),
    labelRule: paper("idlg", "Section 3.2; for more images than one the lowest row sums, which is our choice"),
    stopBelow: paper(1e-6, "Section 4: the loss at which it stops"),
    iterations: ours(6000, "300 outer steps of PyTorch's L-BFGS, of up to 20 iterations each"),
  },
});
