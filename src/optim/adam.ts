import { add, div, mul, sqrt, square } from "../graph/index.ts";
import { addDecay } from "./decay.ts";
import { chain, mapNodes, named, slotOf, type Transform } from "./transform.ts";

export interface AdamOptions {
  /** Decay of the first moment, [0,1). */
  readonly beta1?: number;
  /** Decay of the second moment, [0,1). */
  readonly beta2?: number;
  /** Added to the root of the second moment, > 0. */
  readonly epsilon?: number;
  /** λ of L2 regularisation (`adam`) or of decoupled decay (`adamw`), ≥ 0. */
  readonly weightDecay?: number;
}

/**
 * Adam; weightDecay adds λ·x to the gradient before the moments.
 *
 * m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², update = m·c₁/(√v·c₂ + ε), c₁ = 1/(1−β₁ᵗ), c₂ = 1/√(1−β₂ᵗ) from the host.
 * Memory `adam.m.<variable>`, `adam.v.<variable>`; scalars `adam.c1`, `adam.c2`.
 * Source: Kingma and Ba, "Adam", ICLR 2015, Algorithm 1, with ε outside the corrected root as in PyTorch's torch.optim.Adam.
 */
export function adam(options: AdamOptions = {}): Transform {
  const { weightDecay = 0 } = options; // PyTorch's default for Adam
  return weightDecay === 0 ? moments(options) : { ...chain(addDecay(weightDecay), moments(options)), name: "adam" };
}

/**
 * Adam with decoupled weight decay: the update is Adam's plus λ·x, so x shrinks by the factor 1 − learningRate·λ.
 *
 * Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019, Algorithm 2, as torch.optim.AdamW.
 */
export function adamw(options: AdamOptions = {}): Transform {
  const { weightDecay = 0.01 } = options; // PyTorch's default for AdamW
  return { ...chain(moments(options), addDecay(weightDecay)), name: "adamw" };
}

function moments({ beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 }: AdamOptions): Transform {
  // β₁, β₂, ε: defaults of the paper and of PyTorch
  return {
    name: "adam",
    slots: ["adam.m", "adam.v"],
    scalars: (t) => ({ "adam.c1": 1 / (1 - beta1 ** t), "adam.c2": 1 / Math.sqrt(1 - beta2 ** t) }),
    apply: ({ updates, variables, state, scalars }) => {
      const [m0, v0] = [slotOf(state, "adam.m", variables), slotOf(state, "adam.v", variables)];
      const m = mapNodes(updates, (g, name) => add(mul(m0[name]!, beta1), mul(g, 1 - beta1)));
      const v = mapNodes(updates, (g, name) => add(mul(v0[name]!, beta2), mul(square(g), 1 - beta2)));
      return {
        updates: mapNodes(m, (first, name) =>
          div(mul(first, scalars["adam.c1"]!), add(mul(sqrt(v[name]!), scalars["adam.c2"]!), epsilon)),
        ),
        state: { ...named("adam.m", m), ...named("adam.v", v) },
      };
    },
  };
}
