import { add, div, maximum, mul, type Node, sign, sqrt, square, sum } from "../graph/index.ts";
import { mapNodes, type Nodes, type Transform } from "./transform.ts";

/** The sign of each entry: −1, 0 or 1. Source: Geiping et al., "Inverting gradients", NeurIPS 2020 (signed gradients). */
export function signed(): Transform {
  return stateless("signed", (updates) => mapNodes(updates, sign));
}

/**
 * All updates scaled by min(1, limit/‖updates‖), the norm being taken over all variables together; limit > 0.
 *
 * Source: PyTorch's torch.nn.utils.clip_grad_norm_. Differs: nothing is added to the norm (PyTorch adds 1e-6).
 */
export function clip(limit: number): Transform {
  return stateless("clip", (updates) => {
    const factor = div(limit, maximum(globalNorm(updates), limit)); // limit/max(‖g‖, limit) = min(1, limit/‖g‖)
    return mapNodes(updates, (g) => mul(g, factor));
  });
}

/** The Euclidean norm of all nodes together: √ΣΣ g², a scalar. Forward only: its derivative at zero is infinite. */
export function globalNorm(nodes: Nodes): Node {
  return sqrt(
    Object.values(nodes)
      .map((g) => sum(square(g)))
      .reduce((a, b) => add(a, b)),
  );
}

function stateless(name: string, make: (updates: Nodes) => Nodes): Transform {
  return { name, slots: [], scalars: () => ({}), apply: ({ updates }) => ({ updates: make(updates), state: {} }) };
}
