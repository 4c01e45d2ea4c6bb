import { type Node, relu, sigmoid } from "../graph/index.ts";
import type { Scope } from "./scope.ts";

/** The nonlinearities a model can be built with. Images leak far better through sigmoid than through relu. */
export const ACTIVATIONS = { relu, sigmoid } as const;

export type ActivationName = keyof typeof ACTIVATIONS;

/** The nonlinearity `name` of x, any shape; its output is reported as an activation of the network. */
export function activate(scope: Scope, name: ActivationName, x: Node): Node {
  return scope.noteActivation(ACTIVATIONS[name](x));
}
