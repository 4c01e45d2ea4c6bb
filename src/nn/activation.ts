import { leakyRelu, type Node, relu, sigmoid, tanh } from "../graph/index.ts";
import type { Scope } from "./scope.ts";

const LEAKY_SLOPE = 0.2; // of the leaky ReLU below 0: R-GAP's code

/** The nonlinearities a model can be built with. Images leak far better through smooth and invertible ones than through relu. */
export const ACTIVATIONS = {
  relu,
  sigmoid,
  tanh,
  "leaky-relu": (x: Node) => leakyRelu(x, LEAKY_SLOPE),
} as const;

export type ActivationName = keyof typeof ACTIVATIONS;

/** The nonlinearity `name` of x, any shape; its output is reported as an activation of the network. */
export function activate(scope: Scope, name: ActivationName, x: Node): Node {
  return scope.noteActivation(ACTIVATIONS[name](x));
}
