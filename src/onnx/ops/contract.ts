/** Operators that are products: convolutions and matrix products. */
import {
  add,
  broadcastTo,
  conv,
  convInput,
  matmul,
  mul,
  type Node,
  narrow,
  type Pair,
  perChannel,
  reshape,
  swapLast,
} from "../../graph/index.ts";
import { broadcastShapes, sizeOf } from "../../tensor/index.ts";
import { type Call, complain, needText, nodeAt, nodeOf, optional, type Rule, result } from "../call.ts";
import { surrounded } from "./select.ts";
import { checkShape } from "./shape.ts";
import { padsOf, pair, windowOf } from "./window.ts";

/** [B,C,W] as [B,C,1,W]; images stay. Throws for volumes. */
export function asImage(call: Call, x: Node, what: string): Node {
  if (x.shape.length === 4) return x;
  if (x.shape.length === 3) return reshape(x, [x.shape[0]!, x.shape[1]!, 1, x.shape[2]!]);
  return complain(
    call,
    `${what} must have 4 axes (images) or 3 (sequences)`,
    `${x.shape.length}`,
    "Volumes are not supported: use a model of images.",
  );
}

/** The other way, when the input was a sequence. */
export function likeInput(call: Call, y: Node): Node {
  return optional(call, 0)!.shape.length === 3 ? reshape(y, [y.shape[0]!, y.shape[1]!, y.shape[3]!]) : y;
}

const sizeOfImage = (x: Node): Pair => [x.shape[2]!, x.shape[3]!];

const convolution: Rule = (call) => {
  const [x, w] = [asImage(call, nodeAt(call, 0), "x"), asImage(call, nodeAt(call, 1), "weight")];
  const { stride, dilation, before, after } = windowOf(call, sizeOfImage(x), sizeOfImage(w));
  const padding: Pair = [Math.min(before[0], after[0]), Math.min(before[1], after[1])];
  const rest = (side: Pair) => [0, 0, side[0] - padding[0], side[1] - padding[1]];
  const y = conv(surrounded(x, rest(before), rest(after), 0), w, {
    stride,
    dilation,
    padding,
    groups: call.node.attributes.int("group") ?? 1,
  });
  return result(call, likeInput(call, biased(call, y)));
};

function biased(call: Call, y: Node): Node {
  const bias = optional(call, 2);
  return bias ? add(y, perChannel(nodeOf(call, bias))) : y;
}

const transposedConvolution: Rule = (call) => {
  const [x, w] = [asImage(call, nodeAt(call, 0), "x"), asImage(call, nodeAt(call, 1), "weight")];
  const { attributes } = call.node;
  const dims = optional(call, 0)!.shape.length - 2;
  const stride = pair(call, "strides", dims) ?? [1, 1];
  const dilation = pair(call, "dilations", dims) ?? [1, 1];
  const extra = pair(call, "output_padding", dims, 0) ?? [0, 0];
  const whole = ([0, 1] as const).map(
    (axis) => (x.shape[2 + axis]! - 1) * stride[axis] + dilation[axis] * (w.shape[2 + axis]! - 1) + 1 + extra[axis],
  );
  checkShape(call, [x.shape[0]!, ...whole]);
  const wanted = wantedSize(call, whole, dims, stride, x);
  const { before, after } = wanted ?? padsOf(call, attributes.ints("pads"), dims);
  const groups = attributes.int("group") ?? 1;
  if (before[0] === after[0] && before[1] === after[1]) {
    const size: Pair = [whole[0]! - 2 * before[0], whole[1]! - 2 * before[1]];
    const y = convInput(x, w, size, { stride, dilation, padding: before, groups });
    return result(call, likeInput(call, biased(call, y)));
  }
  const y = convInput(x, w, [whole[0]!, whole[1]!], { stride, dilation, groups });
  const cut = ([0, 1] as const).reduce(
    (image, axis) => narrow(image, 2 + axis, before[axis], whole[axis]! - before[axis] - after[axis]),
    y,
  );
  return result(call, likeInput(call, biased(call, cut)));
};

/** What to cut off where the node says how large its result is. */
function wantedSize(call: Call, whole: readonly number[], dims: number, stride: Pair, x: Node) {
  const mode = needText(call, "auto_pad", "NOTSET", ["NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"]);
  const given = pair(call, "output_shape", dims);
  const same = mode === "SAME_UPPER" || mode === "SAME_LOWER";
  if (!given && !same) return undefined;
  const size = given ?? ([0, 1] as const).map((axis) => x.shape[2 + axis]! * stride[axis]);
  const total = ([0, 1] as const).map((axis) => whole[axis]! - size[axis]!);
  if (total.some((n) => n < 0)) {
    return complain(call, "its result must not be larger than its windows reach", `${size}`, "Export it with pads.");
  }
  const half = (axis: 0 | 1) => (mode === "SAME_UPPER" ? Math.floor(total[axis]! / 2) : Math.ceil(total[axis]! / 2));
  const before: Pair = [half(0), half(1)];
  return { before, after: [total[0]! - before[0], total[1]! - before[1]] as Pair };
}

const gemm: Rule = (call) => {
  const { attributes } = call.node;
  const turned = (i: number, name: string) => (attributes.int(name) ? swapLast(nodeAt(call, i)) : nodeAt(call, i));
  const product = mul(matmul(turned(0, "transA"), turned(1, "transB")), attributes.float("alpha") ?? 1);
  const c = optional(call, 2);
  return result(call, c ? add(product, mul(nodeOf(call, c), attributes.float("beta") ?? 1)) : product);
};

/** As NumPy's matmul: vectors are rows or columns, leading axes broadcast. */
const matrixProduct: Rule = (call) => {
  const [a, b] = [nodeAt(call, 0), nodeAt(call, 1)];
  const [p, q] = [a.shape.length === 1 ? reshape(a, [1, -1]) : a, b.shape.length === 1 ? reshape(b, [-1, 1]) : b];
  const y = product(call, p, q);
  const shape = [
    ...y.shape.slice(0, -2),
    ...(a.shape.length === 1 ? [] : [y.shape.at(-2)!]),
    ...(b.shape.length === 1 ? [] : [y.shape.at(-1)!]),
  ];
  return result(call, reshape(y, shape));
};

function product(call: Call, a: Node, b: Node): Node {
  if (b.shape.length === 2 && a.shape.length > 2) {
    const rows = reshape(a, [sizeOf(a.shape.slice(0, -1)), a.shape.at(-1)!]); // one product instead of one an image
    return reshape(matmul(rows, b), [...a.shape.slice(0, -1), b.shape[1]!]);
  }
  const lead = broadcastShapes(call.who, a.shape.slice(0, -2), b.shape.slice(0, -2));
  const spread = (x: Node) => broadcastTo(x, [...lead, ...x.shape.slice(-2)]);
  return matmul(spread(a), spread(b));
}

export const CONTRACT: Readonly<Record<string, Rule>> = {
  Conv: convolution,
  ConvTranspose: transposedConvolution,
  Gemm: gemm,
  MatMul: matrixProduct,
};
