import { add, mul } from "../graph/index.ts";
import { mapNodes, type Transform } from "./transform.ts";

/** update + λ·x, λ ≥ 0: before the moments it is L2 regularisation, after them decoupled weight decay. */
export function addDecay(lambda: number): Transform {
  return {
    name: "decay",
    slots: [],
    scalars: () => ({}),
    apply: ({ updates, variables }) => ({
      updates: mapNodes(updates, (g, name) => add(g, mul(variables[name]!, lambda))),
      state: {},
    }),
  };
}
