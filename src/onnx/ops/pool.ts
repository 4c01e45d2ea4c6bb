/** Pooling by mean and maximum. */
import {
  avgPool,
  broadcastTo,
  constantOf,
  conv,
  div,
  max,
  maximum,
  maxPool,
  mean,
  mul,
  type Node,
  type Pair,
  reshape,
  scalar,
  slice,
} from "../../graph/index.ts";
import { type Call, complain, nodeAt, type Rule, result } from "../call.ts";
import { asImage, likeInput } from "./contract.ts";
import { MOST_INDICES, surrounded } from "./select.ts";
import { checkShape } from "./shape.ts";
import { type Window, windowOf } from "./window.ts";

type Axis = 0 | 1;
const AXES = [0, 1] as const;
const LOWEST = -1e30; // stands for “outside the image” under a maximum; float32 holds it and no activation reaches it

/** The window with what `ceil_mode` adds at the ends, and the size of the result. */
function poolingOf(call: Call, x: Node): Window & { readonly size: Pair; readonly extra: Pair } {
  const window = windowOf(call, [x.shape[2]!, x.shape[3]!]);
  const { kernel, stride, dilation, before, after } = window;
  const reach = (axis: Axis) => dilation[axis] * (kernel[axis] - 1) + 1;
  const length = (axis: Axis) => x.shape[2 + axis]! + before[axis] + after[axis];
  const ceil = call.node.attributes.int("ceil_mode") === 1;
  const extent = (axis: Axis) => {
    const steps = (length(axis) - reach(axis)) / stride[axis];
    const count = (ceil ? Math.ceil(steps) : Math.floor(steps)) + 1;
    const outside = (count - 1) * stride[axis] >= x.shape[2 + axis]! + before[axis]; // begins behind the image
    return ceil && outside ? count - 1 : count;
  };
  const size: Pair = [extent(0), extent(1)];
  const extra = AXES.map((axis) => Math.max(0, (size[axis] - 1) * stride[axis] + reach(axis) - length(axis)));
  checkShape(call, [x.shape[0]!, x.shape[1]!, length(0) + extra[0]!, length(1) + extra[1]!]);
  return { ...window, size, extra: [extra[0]!, extra[1]!] };
}

const maxPooling: Rule = (call) => {
  const x = asImage(call, nodeAt(call), "x");
  const { kernel, stride, dilation, before, after, extra, size } = poolingOf(call, x);
  const even = AXES.every(
    (axis) => before[axis] === after[axis] && extra[axis] === 0 && 2 * before[axis] <= kernel[axis],
  );
  if (even && dilation.every((d) => d === 1)) {
    return [result(call, likeInput(call, maxPool(x, { kernel, stride, padding: before }))), undefined];
  }
  const ends = AXES.map((axis) => after[axis] + extra[axis]);
  const padded = surrounded(x, [0, 0, ...before], [0, 0, ...ends], LOWEST);
  const y = dilation.every((d) => d === 1)
    ? maxPool(padded, { kernel, stride, padding: [0, 0] })
    : maxOfShifted(call, padded, kernel, stride, dilation, size);
  return [result(call, likeInput(call, y)), undefined];
};

const MOST_SHIFTS = 256; // of a dilated window (our choice); 3×3 ones have 9

/** The maximum over the window as one of shifted copies. */
function maxOfShifted(call: Call, x: Node, kernel: Pair, stride: Pair, dilation: Pair, size: Pair): Node {
  const shifts = kernel[0] * kernel[1];
  if (shifts > MOST_SHIFTS) {
    return complain(call, `dilated windows must have at most ${MOST_SHIFTS} pixels`, `${shifts}`, "Use a smaller one.");
  }
  const [b, c] = [x.shape[0]!, x.shape[1]!];
  const copies = Array.from({ length: shifts }, (_, k) => {
    const [p, q] = [Math.floor(k / kernel[1]), k % kernel[1]];
    return slice(x, [0, 0, p * dilation[0], q * dilation[1]], [b, c, ...size], [1, 1, ...stride]);
  });
  return copies.reduce((y, copy) => maximum(y, copy));
}

const averagePooling: Rule = (call) => {
  const x = asImage(call, nodeAt(call), "x");
  const { kernel, stride, dilation, before, after, extra, size } = poolingOf(call, x);
  const counted = call.node.attributes.int("count_include_pad") === 1;
  const bare = [...before, ...after, ...extra].every((n) => n === 0);
  if (bare && dilation.every((d) => d === 1)) return result(call, likeInput(call, avgPool(x, kernel, stride)));
  const ends = AXES.map((axis) => after[axis] + extra[axis]);
  const padded = surrounded(x, [0, 0, ...before], [0, 0, ...ends], 0);
  const [b, c, h, w] = padded.shape as [number, number, number, number];
  const box = broadcastTo(scalar(1), [1, 1, ...kernel]);
  const sums = reshape(conv(reshape(padded, [b * c, 1, h, w]), box, { stride, dilation }), [b, c, ...size]);
  if (size.some((n) => n < 1)) {
    complain(call, "its window must fit into the image", `${x.shape}`, "Use the image size that it was exported for.");
  }
  const counts = AXES.map((axis) => {
    const [low, high] = counted
      ? [0, x.shape[2 + axis]! + before[axis] + after[axis]]
      : [before[axis], before[axis] + x.shape[2 + axis]!];
    return windowCounts(size[axis], kernel[axis], stride[axis], dilation[axis], low, high);
  });
  if (size.some((n) => n > MOST_INDICES)) {
    return complain(
      call,
      `padded means must have at most ${MOST_INDICES} windows an axis`,
      `${size}`,
      "Use smaller images.",
    );
  }
  const area = mul(constantOf([1, 1, size[0], 1], counts[0]!), constantOf([1, 1, 1, size[1]], counts[1]!));
  return result(call, likeInput(call, div(sums, area)));
};

/** For each window along one axis, how many of its pixels lie in low … high − 1. */
function windowCounts(size: number, kernel: number, stride: number, dilation: number, low: number, high: number) {
  return Array.from({ length: size }, (_, i) => {
    const first = Math.max(0, Math.ceil((low - i * stride) / dilation));
    const last = Math.min(kernel - 1, Math.ceil((high - i * stride) / dilation) - 1);
    return Math.max(1, last - first + 1);
  });
}

const overImage =
  (of: (x: Node, axes: readonly number[]) => Node): Rule =>
  (call) => {
    const x = nodeAt(call);
    return result(call, of(x, [...x.shape.keys()].slice(2)));
  };

export const POOL: Readonly<Record<string, Rule>> = {
  MaxPool: maxPooling,
  AveragePool: averagePooling,
  GlobalAveragePool: overImage((x, axes) => mean(x, axes, { keepDims: true })),
  GlobalMaxPool: overImage((x, axes) => max(x, axes, { keepDims: true })),
};
