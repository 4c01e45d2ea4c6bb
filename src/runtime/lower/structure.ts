/** Reshapes, broadcasts, sums, windows and selections. */
import type { Node } from "../../graph/index.ts";
import { sizeOf } from "../../tensor/index.ts";
import type { Context, Lowerings } from "./context.ts";
import { kthLargest } from "./kth-largest.ts";

type StructureName =
  | "reshape"
  | "transpose"
  | "broadcast"
  | "sum"
  | "slice"
  | "unslice"
  | "concat"
  | "stop-gradient"
  | "with-slope"
  | "max"
  | "kth-largest"
  | "gather"
  | "scatter-add"
  | "max-pool-index";

export const structure: Lowerings<StructureName> = {
  reshape: ({ inputs: [x], shape }, c) => c.op("Reshape", [c.value(x!), c.ints(shape)]),
  transpose: ({ inputs: [x], attrs: { permutation } }, c) => c.op("Transpose", [c.value(x!)], { perm: permutation }),
  broadcast: ({ inputs: [x], shape }, c) => c.op("Expand", [c.value(x!), c.ints(shape)]),
  sum: ({ inputs: [x], shape, attrs: { axes } }, c) => {
    const [type, of] = sizeOf(shape) === 1 ? reduction(x!) : (["ReduceSum", x!] as const);
    return c.op(type, [c.value(of), c.ints(axes)], { keepdims: 1 });
  },
  max: ({ inputs: [x], attrs: { axes } }, c) => c.op("ReduceMax", [c.value(x!), c.ints(axes)], { keepdims: 1 }),
  "stop-gradient": ({ inputs: [x] }, c) => c.value(x!),
  "with-slope": ({ inputs: [y] }, c) => c.value(y!),
  concat: ({ inputs, attrs: { axis } }, c) => c.op("Concat", inputs.map(c.value), { axis }),
  slice: ({ inputs: [x], attrs: { starts, sizes, steps } }, c) => {
    const ends = starts.map((start, axis) => start + (sizes[axis]! - 1) * steps[axis]! + 1);
    return c.op("Slice", [c.value(x!), c.ints(starts), c.ints(ends), c.ints([...starts.keys()]), c.ints(steps)]);
  },
  unslice: ({ inputs: [x], attrs: { shape, starts, steps } }, c) => {
    const spread = spreadOut(x!, steps, c);
    const after = shape.map((n, axis) => n - starts[axis]! - ((x!.shape[axis]! - 1) * steps[axis]! + 1));
    return c.op("Pad", [spread, c.ints([...starts, ...after]), c.scalar(0)]);
  },
  "kth-largest": kthLargest,
  gather: ({ inputs: [x, index] }, c) => c.op("Gather", [c.value(x!), c.value(index!)], { axis: 0 }),
  "scatter-add": ({ inputs: [values, index], shape }, c) => {
    const zeros = c.op("Expand", [c.scalar(0), c.ints(shape)]);
    const rows = c.op("Reshape", [c.value(index!), c.ints([...index!.shape, 1])]);
    return c.op("ScatterND", [zeros, rows, c.value(values!)], { reduction: "add" });
  },
  "max-pool-index": ({ inputs: [x], attrs: { kernel, stride, padding } }, c) => {
    const window = { kernel_shape: kernel, strides: stride, pads: [...padding, ...padding] };
    return c.ops("MaxPool", [c.value(x!)], window, 2)[1]!;
  },
};

/** The one-pass form of Σ|x| and Σx² over everything (over some axes onnxruntime's are slower than two passes). */
function reduction(x: Node): readonly [string, Node] {
  const [a, b] = x.inputs;
  if (x.op.name === "abs") return ["ReduceL1", a!];
  return x.op.name === "mul" && a === b ? ["ReduceSumSquare", a!] : ["ReduceSum", x];
}

/** `x` with steps[i] − 1 zeros between neighbours along each axis i. */
function spreadOut(x: Node, steps: readonly number[], c: Context): string {
  if (steps.every((step, axis) => step === 1 || x.shape[axis] === 1)) return c.value(x);
  const pairs = c.op("Reshape", [c.value(x), c.ints(x.shape.flatMap((n) => [n, 1]))]);
  const after = steps.flatMap((step) => [0, step - 1]);
  const padded = c.op("Pad", [pairs, c.ints([...after.map(() => 0), ...after]), c.scalar(0)]);
  const merged = c.op("Reshape", [padded, c.ints(x.shape.map((n, axis) => n * steps[axis]!))]);
  const ends = x.shape.map((n, axis) => (n - 1) * steps[axis]! + 1);
  return c.op("Slice", [merged, c.ints(ends.map(() => 0)), c.ints(ends)]);
}
