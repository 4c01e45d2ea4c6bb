/** Elementwise ops have ONNX twins that broadcast by themselves, so operands are passed before their broadcast. */
import type { ElementwiseName, Node } from "../../graph/index.ts";
import { broadcastShapes, type Shape, sameShape } from "../../tensor/index.ts";
import type { Context, Lowerings } from "./context.ts";

const FLOAT = 1; // TensorProto.FLOAT

const twin =
  (type: string, attributes = {}) =>
  (node: Node, context: Context) =>
    context.op(type, operands(node, context), attributes);

export const elementwise: Lowerings<ElementwiseName> = {
  neg: twin("Neg"),
  exp: twin("Exp"),
  log: twin("Log"),
  sqrt: twin("Sqrt"),
  abs: twin("Abs"),
  // The sign of a ReLU is its mask; a comparison is twice as fast as Sign
  // (and gives 0 for NaN, where the reference gives NaN; the loss is NaN either way).
  sign: (node, c) => {
    const x = node.inputs[0]!;
    if (x.op.name !== "relu") return c.op("Sign", [c.value(x)]);
    return c.op("Cast", [c.op("Greater", [c.value(x.inputs[0]!), c.scalar(0)])], { to: FLOAT });
  },
  floor: twin("Floor"),
  sigmoid: twin("Sigmoid"),
  tanh: twin("Tanh"),
  relu: twin("Relu"),
  erf: twin("Erf"),
  add: twin("Add"),
  sub: twin("Sub"),
  mul: twin("Mul"),
  div: twin("Div"),
  pow: twin("Pow"),
  maximum: twin("Max"),
  minimum: twin("Min"),
  greater: twin("Greater"),
  "greater-equal": twin("GreaterOrEqual"),
  equal: twin("Equal"),
  where: twin("Where"),
  cast: twin("Cast", { to: FLOAT }),
};

/** The inputs before their broadcasts; the first one at full shape where the narrow ones do not span the result. */
function operands(node: Node, context: Context): string[] {
  const spanned = node.inputs.map(narrowShape).reduce((a, b) => broadcastShapes(node.op.name, a, b));
  const full = sameShape(spanned, node.shape);
  return node.inputs.map((x, i) => (full || i > 0 ? context.narrow(x) : context.value(x)));
}

function narrowShape(x: Node): Shape {
  return x.op.name === "broadcast" ? x.inputs[0]!.shape : x.shape;
}
