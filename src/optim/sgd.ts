import { add, mul } from "../graph/index.ts";
import { addDecay } from "./decay.ts";
import { chain, mapNodes, named, slotOf, type Transform } from "./transform.ts";

export interface SgdOptions {
  /** μ in [0,1); 0 keeps no memory. */
  readonly momentum?: number;
  /** λ ≥ 0, added to the gradient as λ·x. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent: update = g + λx, or with momentum b ← μb + g + λx, update = b.
 *
 * Memory `sgd.b.<variable>` when μ > 0. Source: PyTorch's torch.optim.SGD without dampening or Nesterov's rule.
 */
export function sgd({ momentum = 0, weightDecay = 0 }: SgdOptions = {}): Transform {
  const parts = [
    ...(weightDecay === 0 ? [] : [addDecay(weightDecay)]),
    ...(momentum === 0 ? [] : [heavyBall(momentum)]),
  ];
  return { ...chain(...parts), name: "sgd" };
}

function heavyBall(momentum: number): Transform {
  return {
    name: "momentum",
    slots: ["sgd.b"],
    scalars: () => ({}),
    apply: ({ updates, variables, state }) => {
      const before = slotOf(state, "sgd.b", variables);
      const after = mapNodes(updates, (g, name) => add(mul(before[name]!, momentum), g));
      return { updates: after, state: named("sgd.b", after) };
    },
  };
}
