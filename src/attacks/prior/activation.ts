import { abs, add, mean, type Node, scalar } from "../../graph/index.ts";

/**
 * How strongly the network's units respond: Σ_l mean|F⁽ˡ⁾(x)|, a scalar ≥ 0.
 *
 * activations: the output of each nonlinearity. Trained networks respond sparsely to natural images.
 * Source: FedLeak, Section 4.4, β·Σ_l ‖F⁽ˡ⁾(x)‖₁.
 * Differs (our choice): the mean, not the sum, within a layer. A sum over ~10⁵ units would drown the distance at the
 * weight 0.1, with which Table 18 still reports 20 dB.
 */
export function activationPenalty(activations: readonly Node[]): Node {
  return activations.map((layer) => mean(abs(layer))).reduce((a, b) => add(a, b), scalar(0));
}
