import { definePreset, ours, type Preset, paper } from "../preset.ts";

/** Deep leakage from gradients: images and labels by L-BFGS on the summed squared difference. */
export const dlg: Preset = definePreset({
  name: "dlg",
  about: "squared difference, L-BFGS on pixels and label logits together",
  source: "Zhu et al., “Deep leakage from gradients”, NeurIPS 2019",
  requires: ["batch-size"],
  settings: {
    parameterisation: paper("pixels", "Algorithm 1"),
    init: paper("normal", "Algorithm 1: dummy inputs from N(0,1)"),
    l2Weight: paper(1, "Algorithm 1: ‖∇W′ − ∇W‖², summed over all entries"),
    optimiser: paper("l-bfgs", "Section 4.1; the strong Wolfe line search is our choice, PyTorch's default has none"),
    learningRate: paper(1, "Section 4.1"),
    history: paper(100, "Section 4.1"),
    labels: ours("joint", "the paper starts labels from N(0,1); here from the inferred ones, which it predates"),
    labelRule: ours("auto", "where the logits start"),
    restarts: ours(1, "the paper restarts by hand when a start does not converge"),
    stopBelow: ours(1e-12, "far below what float32 tells from a match"),
    iterations: ours(6000, "the paper's 300 outer steps of PyTorch's L-BFGS, of up to 20 iterations each"),
  },
});
