import { float64, numbers, type Shape, sizeOf, type Tensor } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { apply, type Kind, type Node, type Op } from "../node.ts";

/** A value fed at run time (or baked in at compile time) by name. */
export const inputOp: Op<"input", { readonly name: string; readonly shape: Shape; readonly kind: Kind }> = {
  name: "input",
  rule: (_, { shape, kind }) => ({ shape, kind }),
  vjp: () => [],
};

/** A fixed tensor. */
export const constantOp: Op<"constant", { readonly tensor: Tensor }> = {
  name: "constant",
  rule: (_, { tensor }) => ({ shape: tensor.shape, kind: kindOf(tensor) }),
  vjp: () => [],
};

/** A fixed scalar, kept apart from tensors so that equal numbers are equal nodes. Shape []. */
export const scalarOp: Op<"scalar", { readonly value: number }> = {
  name: "scalar",
  rule: (_, { value }) => {
    if (!Number.isFinite(value)) {
      fail({ who: "scalar", must: "value must be finite", got: `${value}`, remedy: "Check the number it came from." });
    }
    return { shape: [], kind: "float" };
  },
  vjp: () => [],
};

/** A named input of the graph: shape as given, `float` unless told. */
export function input(name: string, shape: Shape, kind: Kind = "float"): Node {
  return apply(inputOp, [], { name, shape, kind });
}

/** A fixed tensor: float32 and float64 become `float`, integers `int`, bool `bool`. */
export function constant(tensor: Tensor): Node {
  return tensor.shape.length === 0 && kindOf(tensor) === "float"
    ? scalar(numbers(tensor)[0]!)
    : apply(constantOp, [], { tensor });
}

/** A fixed float of shape []. */
export function scalar(value: number): Node {
  return apply(scalarOp, [], { value });
}

/** A fixed float tensor from host numbers. */
export function constantOf(shape: Shape, values: ArrayLike<number>): Node {
  if (values.length !== sizeOf(shape)) {
    fail({
      who: "constantOf",
      must: `${sizeOf(shape)} values`,
      got: `${values.length}`,
      remedy: "Match values and shape.",
    });
  }
  return constant(float64(shape, values));
}

function kindOf(tensor: Tensor): Kind {
  if (tensor.dtype === "float32" || tensor.dtype === "float64") return "float";
  return tensor.dtype === "bool" ? "bool" : "int";
}
