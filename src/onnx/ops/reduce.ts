/** Operators that reduce axes, and those that normalise along one. */
import {
  abs,
  add,
  div,
  exp,
  log,
  logSoftmax,
  max,
  mean,
  mul,
  type Node,
  narrow,
  neg,
  reshape,
  softmax,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
} from "../../graph/index.ts";
import { sizeOf } from "../../tensor/index.ts";
import { axisOf, type Call, complain, given, listAt, nodeAt, type Rule, result } from "../call.ts";

/** A reduction of `axes`, which keep extent 1. */
type Reduction = (x: Node, axes: readonly number[]) => Node;

const keep = { keepDims: true };

const reduction =
  (of: Reduction): Rule =>
  (call) => {
    const x = nodeAt(call);
    const { attributes } = call.node;
    const listed = (listAt(call, "axes", 1) ?? []).map((axis) => axisOf(call, axis, x.shape.length));
    if (listed.length === 0 && attributes.int("noop_with_empty_axes") === 1) return given(call, 0);
    const axes = listed.length === 0 ? [...x.shape.keys()] : listed;
    const kept = of(x, axes);
    if (attributes.int("keepdims") === 0) {
      return result(
        call,
        reshape(
          kept,
          x.shape.filter((_, axis) => !axes.includes(axis)),
        ),
      );
    }
    return result(call, kept);
  };

/** ln Σ eˣ over several axes, stable at any magnitude. */
const logSum: Reduction = (x, axes) => {
  const peak = stopGradient(max(x, axes, keep));
  return add(log(sum(exp(sub(x, peak)), axes, keep)), peak);
};

const MOST_FACTORS = 1 << 10; // of a product (our choice)

const product =
  (call: Call): Reduction =>
  (x, axes) => {
    if (axes.reduce((n, axis) => n * x.shape[axis]!, 1) > MOST_FACTORS) {
      return complain(call, `a product must have at most ${MOST_FACTORS} factors`, "more", "Sum logarithms instead.");
    }
    return axes.reduce((y, axis) => {
      const parts = Array.from({ length: y.shape[axis]! }, (_, i) => narrow(y, axis, i, 1));
      return parts.reduce((a, b) => mul(a, b));
    }, x);
  };

const along =
  (of: (x: Node, axis: number) => Node): Rule =>
  (call) => {
    const x = nodeAt(call);
    const newest = call.opset >= 13;
    const axis = axisOf(call, call.node.attributes.int("axis") ?? (newest ? -1 : 1), x.shape.length);
    if (newest) return result(call, of(x, axis));
    const rows = sizeOf(x.shape.slice(0, axis)); // before opset 13: all axes from this one on are one
    return result(call, reshape(of(reshape(x, [rows, -1]), 1), x.shape));
  };

const NORMS: Readonly<Record<number, Reduction>> = {
  1: (x, axes) => sum(abs(x), axes, keep),
  2: (x, axes) => sqrt(sum(square(x), axes, keep)),
};

const lpNormalise: Rule = (call) => {
  const x = nodeAt(call);
  const axis = axisOf(call, call.node.attributes.int("axis") ?? -1, x.shape.length);
  const p = call.node.attributes.int("p") ?? 2;
  const norm = NORMS[p] ?? complain(call, "p must be 1 or 2", `${p}`, "Export it in another way.");
  return result(call, div(x, norm(x, [axis])));
};

export const REDUCE: Readonly<Record<string, Rule>> = {
  ReduceSum: reduction((x, axes) => sum(x, axes, keep)),
  ReduceMean: reduction((x, axes) => mean(x, axes, keep)),
  ReduceMax: reduction((x, axes) => max(x, axes, keep)),
  ReduceMin: reduction((x, axes) => neg(max(neg(x), axes, keep))),
  ReduceL1: reduction(NORMS[1]!),
  ReduceL2: reduction(NORMS[2]!),
  ReduceSumSquare: reduction((x, axes) => sum(square(x), axes, keep)),
  ReduceLogSum: reduction((x, axes) => log(sum(x, axes, keep))),
  ReduceLogSumExp: reduction(logSum),
  ReduceProd: (call) => reduction(product(call))(call),
  Softmax: along(softmax),
  LogSoftmax: along(logSoftmax),
  LpNormalization: lpNormalise,
};
