/** Ops that pick elements by value or by index, and the adjoint that puts them back. */
import { type Shape, shapeText, sizeOf } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { apply, describe, type Node, needKind, needRank, type Op } from "../node.ts";
import { cast, div, equal, mul } from "./elementwise.ts";
import { broadcastTo, reshape, sum } from "./structure.ts";

/** The largest element along axes, which keep extent 1; g is shared equally among ties. */
export const maxOp: Op<"max", { readonly axes: readonly number[] }> = {
  name: "max",
  rule: ([x], { axes }) => {
    needKind("max", "float", [x!]);
    return { shape: x!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)), kind: "float" };
  },
  vjp: (g, y) => [shareAmongTies(g, y.inputs[0]!, y, y.attrs.axes)],
};

/** The k-th largest element (k = 1: the largest) along the last axis, which keeps extent 1; ties share g. */
export const kthLargestOp: Op<"kth-largest", { readonly k: number }> = {
  name: "kth-largest",
  rule: ([x], { k }) => {
    needKind("kth-largest", "float", [x!]);
    const n = x!.shape.at(-1) ?? 0;
    if (!Number.isInteger(k) || k < 1 || k > n) {
      fail({ who: "kth-largest", must: `k must be an integer in 1 … ${n}`, got: `${k}`, remedy: "Check the share." });
    }
    return { shape: [...x!.shape.slice(0, -1), 1], kind: "float" };
  },
  vjp: (g, y) => [shareAmongTies(g, y.inputs[0]!, y, [y.shape.length - 1])],
};

/** Rows of x by index along axis 0: x [N,…rest], index int [… i] → [… i, …rest]. */
export const gatherOp: Op<"gather", Record<never, never>> = {
  name: "gather",
  rule: ([x, index]) => {
    needKind("gather", "int", [index!]);
    if (x!.shape.length === 0) needRank("gather", "x", x!, 1);
    return { shape: [...index!.shape, ...x!.shape.slice(1)], kind: x!.kind };
  },
  vjp: (g, { inputs: [x, index] }) => [scatterAdd(g, index!, x!.shape[0]!), undefined],
};

/** The adjoint of gather: zeros [N,…rest] to which row i of g is added at index i. */
export const scatterAddOp: Op<"scatter-add", { readonly rows: number }> = {
  name: "scatter-add",
  rule: ([g, index], { rows }) => {
    needKind("scatter-add", "float", [g!]);
    needKind("scatter-add", "int", [index!]);
    const lead = g!.shape.slice(0, index!.shape.length);
    if (shapeText(lead) !== shapeText(index!.shape)) {
      fail({
        who: "scatter-add",
        must: `values must begin with the index's shape ${shapeText(index!.shape)}`,
        got: describe(g!),
        remedy: "Reshape the values.",
      });
    }
    return { shape: [rows, ...g!.shape.slice(index!.shape.length)], kind: "float" };
  },
  vjp: (g, { inputs: [, index] }) => [gather(g, index!), undefined],
};

export type Window = { readonly kernel: Pair; readonly stride: Pair; readonly padding: Pair };
export type Pair = readonly [number, number];

/**
 * Where each window's maximum stands: x [B,C,H,W] → int [B,C,Ho,Wo], indices into x flattened (the first one of ties).
 *
 * Ho = ⌊(H + 2·padding − kernel)/stride⌋ + 1; padding is at most half the kernel, so each window holds an element.
 */
export const maxPoolIndexOp: Op<"max-pool-index", Window> = {
  name: "max-pool-index",
  rule: ([x], { kernel, stride, padding }) => {
    needKind("max-pool-index", "float", [x!]);
    needRank("max-pool-index", "x", x!, 4);
    if (padding.some((p, i) => p < 0 || 2 * p > kernel[i]!)) {
      fail({
        who: "max-pool-index",
        must: "padding must be within 0 … kernel/2",
        got: `padding ${padding.join("×")}, kernel ${kernel.join("×")}`,
        remedy: "Pad less.",
      });
    }
    const [b, c, h, w] = x!.shape as [number, number, number, number];
    const extent = (n: number, i: 0 | 1) => Math.floor((n + 2 * padding[i] - kernel[i]) / stride[i]) + 1;
    const shape: Shape = [b, c, extent(h, 0), extent(w, 1)];
    if (shape.some((n) => n < 1)) {
      fail({
        who: "max-pool-index",
        must: "the window must fit into the padded image",
        got: describe(x!),
        remedy: "Use larger images or a smaller window.",
      });
    }
    return { shape, kind: "int" };
  },
  vjp: () => [undefined],
};

/** The largest element along `axes` (all when not given); removed unless `keepDims`. */
export function max(x: Node, axes?: readonly number[], options: { readonly keepDims?: boolean } = {}): Node {
  const over = axes?.map((axis) => (axis < 0 ? axis + x.shape.length : axis)) ?? [...x.shape.keys()];
  const kept = apply(maxOp, [x], { axes: over });
  return options.keepDims
    ? kept
    : reshape(
        kept,
        x.shape.filter((_, axis) => !over.includes(axis)),
      );
}

/** The k-th largest element along the last axis: [… , n] → [… , 1]; k in 1 … n. */
export function kthLargest(x: Node, k: number): Node {
  return apply(kthLargestOp, [x], { k });
}

/** Rows of `x` along axis 0 by an int node: x [N,…rest], index [… i] → [… i, …rest]. */
export function gather(x: Node, index: Node): Node {
  return apply(gatherOp, [x, index], {});
}

/** Zeros [rows,…rest] to which each `values` row is added at its index. */
export function scatterAdd(values: Node, index: Node, rows: number): Node {
  return apply(scatterAddOp, [values, index], { rows });
}

/** Max-pooling: x [B,C,H,W] → [B,C,Ho,Wo], as a gather by `maxPoolIndexOp`. */
export function maxPool(x: Node, window: Window): Node {
  const index = apply(maxPoolIndexOp, [x], window);
  return gather(reshape(x, [sizeOf(x.shape)]), index);
}

function shareAmongTies(g: Node, x: Node, extreme: Node, axes: readonly number[]): Node {
  const ties = cast(equal(x, broadcastTo(extreme, x.shape)));
  return mul(ties, div(g, sum(ties, axes, { keepDims: true })));
}
