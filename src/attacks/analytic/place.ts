import type { Tensors } from "../../tensor/index.ts";

/** What the recursion knows of one place in the network, for the one image. */
export interface Place {
  /** The values there, as far as they follow from the update. */
  readonly values: Float64Array;
  /** How sure each value is, in 0 … 1: the share of an error after the activation that is left before it; 0: unknown. */
  readonly trust: Float64Array;
  /** ∂L/∂values. */
  readonly delta: Float64Array;
}

/** Values and gradients of weights, by parameter name. */
export interface Known {
  readonly params: Tensors<"float32">;
  readonly update: Tensors<"float32">;
}
