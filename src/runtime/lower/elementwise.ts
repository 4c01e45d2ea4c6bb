/** Elementwise ops have ONNX twins that broadcast by themselves, so operands are passed before their broadcast. */
import type { ElementwiseName, Node } from "../../graph/index.ts";
import { broadcastShapes, type Shape, sameShape } from "../../tensor/index.ts";
import type { Context, Lowerings } from "./context.ts";

const FLOAT = 1; // TensorProto.FLOAT
const STEEP = 3e38; // near float32's largest: 1 for each x ≥ 3.4e-39, which takes in all normal numbers

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
  // The sign of a ReLU is its mask. On a processor it is min(1, max(0, STEEP·x)): a third of Sign's time, and half of a comparison's with
  // its cast (for NaN it may give 0 or 1, where the reference gives NaN; the loss is NaN either way). STEEP·x overflows, which WebGPU
  // makes no promise about.
  sign: (node, c) => {
    const x = node.inputs[0]!;
    if (x.op.name !== "relu") return c.op("Sign", [c.value(x)]);
    const before = c.value(x.inputs[0]!);
    if (c.target.device !== "cpu") return c.op("Cast", [c.op("Greater", [before, c.scalar(0)])], { to: FLOAT });
    return c.op("HardSigmoid", [before], { alpha: { float: STEEP }, beta: { float: 0 } });
  },
  floor: twin("Floor"),
  sigmoid: twin("Sigmoid"),
  tanh: twin("Tanh"),
  relu: twin("Relu"),
  erf: twin("Erf"),
  add: (node, c) => affine(node, c) ?? twin("Add")(node, c),
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

/**
 * x·a + b, with a and b the same along all but the channels, in one pass: as a BatchNormalization of mean 0 and variance 1, on
 * x64 to the same bits. Only for one thread: that kernel uses no more (0.44 ms for a million elements, two passes 0.76).
 */
function affine(sum: Node, c: Context): string | undefined {
  const [scaled, shift] = sum.inputs as [Node, Node];
  const { device, threads } = c.target;
  if (device !== "cpu" || threads !== 1 || scaled.op.name !== "mul" || c.uses(scaled) > 1 || !isPerChannel(shift))
    return undefined;
  const [p, q] = scaled.inputs as [Node, Node];
  const [x, factor] = isPerChannel(q) ? [p, q] : [q, p];
  if (!isPerChannel(factor) || x.op.name === "broadcast") return undefined;
  const channels = x.shape[1]!;
  const all = (value: number) =>
    c.once(`${channels} of ${value}`, () => c.floats([channels], new Float32Array(channels).fill(value)));
  const flat = (node: Node) => c.op("Reshape", [c.value(node.inputs[0]!), c.ints([channels])]);
  return c.op("BatchNormalization", [c.value(x), flat(factor), flat(shift), all(0), all(1)], { epsilon: { float: 0 } });
}

/** Whether a node is [1,C,1,1] spread over [B,C,H,W]. */
function isPerChannel({ op, inputs: [x], shape }: Node): boolean {
  return (
    op.name === "broadcast" && shape.length === 4 && x!.shape.every((n, axis) => n === (axis === 1 ? shape[1] : 1))
  );
}
