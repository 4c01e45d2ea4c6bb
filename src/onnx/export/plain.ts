import type { AttrsOf, Node, OpName, Pair } from "../../graph/index.ts";
import type { Tensor } from "../../tensor/index.ts";
import { type Batches, type Extent, settled } from "./extents.ts";
import { convAttributes } from "./forms.ts";
import { numberOf, operandsOf, unaligned } from "./operands.ts";
import { inexpressible, type Sheet } from "./sheet.ts";

/** What one op is written with. */
export interface Writer extends Sheet {
  readonly who: string;
  readonly opset: number;
  readonly batches: Batches;
  /** The value of a node at its full shape. */
  value(node: Node): string;
  operand(x: Node | number): string;
}

type Written = Exclude<OpName, "input" | "scalar">;

/** Each op as operators of ONNX that this program reads back as the same op. */
export const PLAIN: { readonly [N in Written]: (node: Node<AttrsOf<N>>, w: Writer) => string } = {
  constant: ({ attrs: { tensor } }, w) => w.fixed(tensor as Tensor),
  neg: (node, w) => elementwise("Neg", node, w),
  exp: (node, w) => elementwise("Exp", node, w),
  log: (node, w) => elementwise("Log", node, w),
  sqrt: (node, w) => elementwise("Sqrt", node, w),
  abs: (node, w) => elementwise("Abs", node, w),
  sign: (node, w) => elementwise("Sign", node, w),
  floor: (node, w) => elementwise("Floor", node, w),
  sigmoid: (node, w) => elementwise("Sigmoid", node, w),
  tanh: (node, w) => elementwise("Tanh", node, w),
  relu: (node, w) => elementwise("Relu", node, w),
  erf: (node, w) => elementwise("Erf", node, w),
  add: (node, w) => elementwise("Add", node, w),
  sub: (node, w) => elementwise("Sub", node, w),
  mul: (node, w) => elementwise("Mul", node, w),
  div: (node, w) => elementwise("Div", node, w),
  pow: (node, w) => elementwise("Pow", node, w),
  maximum: (node, w) => elementwise("Max", node, w),
  minimum: (node, w) => elementwise("Min", node, w),
  greater: (node, w) => elementwise("Greater", node, w),
  "greater-equal": (node, w) => elementwise("GreaterOrEqual", node, w),
  equal: (node, w) => elementwise("Equal", node, w),
  where: (node, w) => elementwise("Where", node, w),
  cast: ({ inputs: [x] }, w) => w.op("Cast", [w.value(x!)], { to: 1 }), // TensorProto.FLOAT
  reshape: (node, w) => w.op("Reshape", [w.value(node.inputs[0]!), reshapeTo(node, w)]),
  transpose: ({ inputs: [x], attrs: { permutation } }, w) => w.op("Transpose", [w.value(x!)], { perm: permutation }),
  broadcast: (node, w) => {
    const x = node.inputs[0]!;
    return w.op("Expand", [w.operand(numberOf(x) ?? unaligned(x)), w.shape(w.batches.of(node))]);
  },
  sum: ({ inputs: [x], attrs: { axes } }, w) => w.op("ReduceSum", [w.value(x!), w.ints(axes)], { keepdims: 1 }),
  max: ({ inputs: [x], attrs: { axes } }, w) =>
    w.opset < 18
      ? w.op("ReduceMax", [w.value(x!)], { axes, keepdims: 1 })
      : w.op("ReduceMax", [w.value(x!), w.ints(axes)], { keepdims: 1 }),
  slice: (node, w) => {
    const { starts, sizes, steps } = node.attrs;
    const [whole, left] = [w.batches.of(node.inputs[0]!), w.batches.of(node)];
    const cut = [...starts.keys()].filter((axis) => !sameExtent(whole[axis]!, left[axis]!));
    if (cut.some((axis) => typeof left[axis] !== "number" || typeof whole[axis] !== "number")) {
      return inexpressible(w.who, node, "a part of the batch", "Export it for one batch size: --batch N.");
    }
    const ends = cut.map((axis) => starts[axis]! + (sizes[axis]! - 1) * steps[axis]! + 1);
    const lists = [cut.map((axis) => starts[axis]!), ends, cut, cut.map((axis) => steps[axis]!)];
    return w.op("Slice", [w.value(node.inputs[0]!), ...lists.map(w.ints)]);
  },
  unslice: (node, w) => {
    const { starts, steps, shape } = node.attrs;
    const x = node.inputs[0]!;
    if (steps.some((step, axis) => step !== 1 && x.shape[axis] !== 1)) {
      return inexpressible(w.who, node, "zeros between elements", "Write it without strided padding.");
    }
    const [small, wide] = [w.batches.of(x), w.batches.of(node)];
    const after = starts.map((start, axis) =>
      sameExtent(small[axis]!, wide[axis]!) ? 0 : shape[axis]! - x.shape[axis]! - start,
    );
    return w.op("Pad", [w.value(x), w.ints([...starts, ...after])]);
  },
  concat: ({ inputs, attrs: { axis } }, w) => w.op("Concat", inputs.map(w.value), { axis }),
  "stop-gradient": (node, w) =>
    inexpressible(w.who, node, "nothing that stops a gradient", "Only softmax and log-softmax may hold one."),
  "with-slope": ({ inputs: [y] }, w) => w.value(y!),
  "kth-largest": (node, w) => inexpressible(w.who, node, "no operator that is read back", "Write it without."),
  gather: (node, w) => {
    const [x, index] = node.inputs as [Node, Node];
    if (index.op.name === "constant") return w.op("Gather", [w.value(x), w.value(index)], { axis: 0 });
    return inexpressible(w.who, node, "an index that is computed", "Pool with windows that are padded less.");
  },
  "scatter-add": (node, w) => inexpressible(w.who, node, "no operator that is read back", "Write it without."),
  "max-pool-index": (node, w) => inexpressible(w.who, node, "an index on its own", "Write it as a max-pool."),
  matmul: ({ inputs: [a, b] }, w) => w.op("MatMul", [w.value(a!), w.value(b!)]),
  conv: (node, w) => w.op("Conv", node.inputs.map(w.value), convAttributes(node)),
  "conv-input": (node, w) => {
    const { inputSize, stride, padding, dilation } = node.attrs;
    const [g, kernel] = node.inputs as [Node, Node];
    const rest = ([0, 1] as const).map((axis) => {
      const reach = (g.shape[2 + axis]! - 1) * stride[axis] + dilation[axis] * (kernel.shape[2 + axis]! - 1) + 1;
      return inputSize[axis] + 2 * padding[axis] - reach;
    }) as unknown as Pair;
    const attributes = { ...convAttributes(node), ...(rest.some((n) => n > 0) && { output_padding: rest }) };
    return w.op("ConvTranspose", [w.value(g), w.value(kernel)], attributes);
  },
  "conv-weight": (node, w) =>
    inexpressible(w.who, node, "a gradient by the weight", "Export a forward pass, without its gradients."),
};

function elementwise(type: string, node: Node, w: Writer): string {
  return w.op(type, operandsOf(node).map(w.operand));
}

/** The shape of a Reshape: an extent that follows the batch is worked out by the reader. */
function reshapeTo(node: Node, w: Writer): string {
  const extents = w.batches.of(node);
  const open = extents.filter((extent) => typeof extent !== "number").length;
  if (open === 1) return w.ints(extents.map((extent) => (typeof extent === "number" ? extent : -1)));
  return open === 0 ? w.ints(settled(extents)!) : w.shape(extents);
}

function sameExtent(a: Extent, b: Extent): boolean {
  return typeof a === "object" && typeof b === "object" ? a.times === b.times : a === b;
}
