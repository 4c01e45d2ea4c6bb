/**
 * Matrix products and convolutions, each in the form that was the fastest for its shape.
 *
 * The choices come from measurements on two cores with AVX2, at ResNet10's shapes: onnxruntime's Conv is faster than its ConvTranspose, most of
 * all with fixed weights; the gradient by the weight is a matrix product over shifted copies of the image.
 */
import type { AttrsOf, Conv, Node } from "../../graph/index.ts";
import { columnsConv, columnsInput, columnsPay, columnsServeBoth, columnsWeight } from "./columns.ts";
import type { Context, Lowerings } from "./context.ts";
import { firstTwoSwapped, padded } from "./moves.ts";
import { tallConv, tallPays, tallTranspose, type Value } from "./tall.ts";
import { windowOf } from "./window.ts";
import { winogradConv, winogradInput, winogradPays, winogradWeight } from "./winograd.ts";

export const contract: Lowerings<"matmul" | "conv" | "conv-input" | "conv-weight"> = {
  matmul: ({ inputs: [a, b], shape }, c) => {
    if (shape.length !== 2) return c.op("MatMul", [c.value(a!), c.value(b!)]);
    const [left, transA] = untransposed(a!, c);
    const [right, transB] = untransposed(b!, c);
    if (!transA && !transB) return c.op("MatMul", [c.value(a!), c.value(b!)]);
    return c.op("Gemm", [left, right], { transA: +transA, transB: +transB });
  },
  conv: (node, c) => {
    const { attrs, shape } = node;
    const [x, w] = node.inputs as [Node, Node];
    if (isFed(w, c) && winogradPays(x.shape, w.shape, attrs)) return winogradConv(x, w, c);
    if (isFed(w, c) && c.trains(x) && hasColumns(c) && columnsServeBoth(w.shape, attrs)) return columnsConv(node, c);
    return convolved(x, { name: c.value(w), shape: w.shape }, { ...attrs, size: [shape[2]!, shape[3]!] }, c);
  },
  "conv-input": (node, c) => {
    const [g, w] = node.inputs as [Node, Node];
    if (isFed(w, c) && winogradPays(g.shape, w.shape, node.attrs)) return winogradInput(g, w, c);
    if (isFed(w, c) && hasColumns(c) && columnsPay(w.shape, node.attrs)) return columnsInput(node, c);
    return asConv(node, c) ? flippedConv(node, c) : convTranspose(node, c);
  },
  "conv-weight": (node, c) => {
    const [x, g] = node.inputs as [Node, Node];
    if (winogradPays(x.shape, node.shape, node.attrs)) return winogradWeight(x, g, c);
    if (hasColumns(c) && columnsPay(node.shape, node.attrs)) return columnsWeight(node, c);
    return node.attrs.groups === 1 ? shiftedProducts(node, c) : swappedConv(node, c);
  },
};

/** onnxruntime's WebGPU has no Col2Im, and its Conv in groups is wrong for 9 outputs a group (3×3) and 16 groups (version 1.30). */
function hasColumns({ target }: Context): boolean {
  return target.device === "cpu";
}

/** conv(x, w) of `size` rows and columns. */
function convolved(x: Node, w: Value, attrs: Conv & { readonly size: readonly [number, number] }, c: Context): string {
  const few = tallPays("forward", [...x.shape.slice(0, 2), ...attrs.size], w.shape, attrs);
  return few ? tallConv(x, w, attrs.size, attrs, c) : c.op("Conv", [c.value(x), w.name], windowOf(w.shape, attrs));
}

/**
 * Whether a weight is an input, as in training: then its transform serves forward and backward pass. Where weights are
 * baked (attacks), the runtime packs them once, and second-order terms would keep transforms alive: 14 % more memory.
 */
function isFed(w: Node, c: Context): boolean {
  return w.op.name === "input" && !c.isKnown(w);
}

type InputGradient = Node<AttrsOf<"conv-input">>;
type WeightGradient = Node<AttrsOf<"conv-weight">>;

/** A matrix, or what it is the transpose of. */
function untransposed(x: Node, c: Context): [string, boolean] {
  return x.op.name === "transpose" && !c.isKnown(x) ? [c.value(x.inputs[0]!), true] : [c.value(x), false];
}

/**
 * Stride 1: a convolution with the kernel turned by 180° and its channels swapped. Turning a kernel that is computed at
 * run time costs a few passes over it, which pays when it meets many pixels.
 */
function asConv({ attrs: { stride, padding, dilation, groups }, inputs: [g, w] }: InputGradient, c: Context): boolean {
  const [kh, kw] = w!.shape.slice(2) as [number, number];
  const inside = dilation[0] * (kh - 1) >= padding[0] && dilation[1] * (kw - 1) >= padding[1];
  const pixels = g!.shape[0]! * g!.shape[2]! * g!.shape[3]!;
  return groups === 1 && stride[0] === 1 && stride[1] === 1 && inside && (c.isKnown(w!) || pixels >= FLIP_PAYS);
}

const FLIP_PAYS = 512; // pixels of the batch; at 256, both forms took the same time (512 channels, 3×3)

function flippedConv(node: InputGradient, c: Context): string {
  const [g, w] = node.inputs as [Node, Node];
  const [o, i, kh, kw] = w.shape as [number, number, number, number];
  const values = c.constant(w);
  const kernel = values
    ? c.once(`flipped ${w.id}`, () => c.floats([i, o, kh, kw], flipped(values, [o, i, kh, kw])))
    : flippedAtRunTime(c.value(w), [o, i, kh, kw], c);
  const { padding, dilation } = node.attrs;
  const around: [number, number] = [dilation[0] * (kh - 1) - padding[0], dilation[1] * (kw - 1) - padding[1]];
  const attrs = { ...node.attrs, padding: around, size: node.attrs.inputSize };
  return convolved(g, { name: kernel, shape: [i, o, kh, kw] }, attrs, c);
}

/** [O,I,Kh,Kw] → [I,O,Kh,Kw] reversed: a product with the exchange matrix (faster than a reversed slice), transposed. */
function flippedAtRunTime(w: string, [o, i, kh, kw]: readonly [number, number, number, number], c: Context): string {
  const area = kh * kw;
  const exchange = Float32Array.from(
    { length: area * area },
    (_, k) => +(Math.floor(k / area) + (k % area) === area - 1),
  );
  const reversed =
    area === 1 ? w : c.op("MatMul", [c.op("Reshape", [w, c.ints([o * i, area])]), c.floats([area, area], exchange)]);
  const swapped = c.op("Transpose", [c.op("Reshape", [reversed, c.ints([o, i, area])])], { perm: [1, 0, 2] });
  return c.op("Reshape", [swapped, c.ints([i, o, kh, kw])]);
}

function convTranspose(node: InputGradient, c: Context): string {
  const [g, w] = node.inputs as [Node, Node];
  const { inputSize, stride, padding, dilation } = node.attrs;
  if (!c.isKnown(w) && tallPays("transposed", g.shape, w.shape, node.attrs)) {
    return tallTranspose(g, w, node.attrs, c);
  }
  const left = ([0, 1] as const).map((axis) => {
    const reach = (g.shape[2 + axis]! - 1) * stride[axis] + dilation[axis] * (w.shape[2 + axis]! - 1) + 1;
    return inputSize[axis] + 2 * padding[axis] - reach;
  });
  const attributes = { ...windowOf(w.shape, node.attrs), output_padding: left };
  return c.op("ConvTranspose", [c.value(g), c.value(w)], attributes);
}

/**
 * w[o,i,p,q] = Σ_n g[o,n]·x[i, n shifted by (p,q)] with n over batch, rows and columns: one copy of x an offset, and
 * one matrix product [O,n]·[I·Kh·Kw,n]ᵀ.
 */
function shiftedProducts(node: WeightGradient, c: Context): string {
  const [x, g] = node.inputs as [Node, Node];
  const [b, i, h, w] = x.shape as [number, number, number, number];
  const [, o, ho, wo] = g.shape as [number, number, number, number];
  const { kernelSize, stride, padding, dilation } = node.attrs;
  const n = b * ho * wo;
  const around = padded(firstTwoSwapped(c.value(x), c), padding, padding, c); // [I,B,H,W]
  const whole = kernelSize[0] * kernelSize[1] === 1 && ho === h && wo === w && padding.every((p) => p === 0);
  const copies = offsets(kernelSize).map(([p, q]) => {
    const start = [p * dilation[0], q * dilation[1]] as const;
    const end = [start[0] + (ho - 1) * stride[0] + 1, start[1] + (wo - 1) * stride[1] + 1];
    const part = whole ? around : c.op("Slice", [around, c.ints(start), c.ints(end), c.ints([2, 3]), c.ints(stride)]);
    return c.op("Reshape", [part, c.ints([i, 1, n])]);
  });
  const stacked = copies.length > 1 ? c.op("Concat", copies, { axis: 1 }) : copies[0]!; // [I,Kh·Kw,n]
  const columns = c.op("Reshape", [stacked, c.ints([i * copies.length, n])]);
  const rows = c.op("Reshape", [firstTwoSwapped(c.value(g), c), c.ints([o, n])]);
  const product = c.op("Gemm", [rows, columns], { transB: 1 }); // [O, I·Kh·Kw]
  return c.op("Reshape", [product, c.ints([o, i, ...kernelSize])]);
}

/**
 * Grouped: one convolution whose kernel is g. Batch and channels change places: image (c,b) of group k meets kernel
 * (o,b), stride and dilation swap, and what overhangs (floor in the forward size) is cut off.
 */
function swappedConv(node: WeightGradient, c: Context): string {
  const [x, g] = node.inputs as [Node, Node];
  const [b, channels, h, w] = x.shape as [number, number, number, number];
  const [, o, ho, wo] = g.shape as [number, number, number, number];
  const { kernelSize, stride, padding, dilation, groups } = node.attrs;
  const i = channels / groups;
  // x [B,G,I,H,W] → [I, G·B, H, W]; g [B,O,Ho,Wo] → [O, B, Ho, Wo]: a grouped Conv gives [I, O, Kh', Kw'].
  const split = c.op("Reshape", [c.value(x), c.ints([b, groups, i, h, w])]);
  const images = c.op("Reshape", [
    c.op("Transpose", [split], { perm: [2, 1, 0, 3, 4] }),
    c.ints([i, groups * b, h, w]),
  ]);
  const kernels = firstTwoSwapped(c.value(g), c);
  const attrs = { stride: dilation, dilation: stride, padding, groups };
  const wide = c.op("Conv", [images, kernels], windowOf([o, b, ho, wo], attrs));
  const cut = c.op("Slice", [wide, c.ints([0, 0]), c.ints(kernelSize), c.ints([2, 3])]);
  return firstTwoSwapped(cut, c);
}

function offsets([kh, kw]: readonly [number, number]): (readonly [number, number])[] {
  return Array.from({ length: kh * kw }, (_, k) => [Math.floor(k / kw), k % kw] as const);
}

/** [O,I,Kh,Kw] → [I,O,Kh,Kw] with rows and columns reversed, float32. */
function flipped(values: ArrayLike<number>, [o, i, kh, kw]: readonly [number, number, number, number]): Float32Array {
  const out = new Float32Array(values.length);
  const area = kh * kw;
  for (let a = 0; a < o; a++) {
    for (let c = 0; c < i; c++) {
      for (let k = 0; k < area; k++) out[(c * o + a) * area + area - 1 - k] = values[(a * i + c) * area + k]!;
    }
  }
  return out;
}
