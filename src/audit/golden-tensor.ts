import type { Tensor, Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";

/** The tensor `name` of a golden file; throws FedleakError when the file has none. */
export function goldenTensor(tensors: Tensors, name: string): Tensor {
  return (
    tensors[name] ??
    fail({ who: "verify", must: `the golden file must hold "${name}"`, got: "none", remedy: "Write the file again." })
  );
}
