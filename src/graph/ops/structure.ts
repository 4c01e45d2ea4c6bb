/**
 * Ops that move, copy or add up elements without looking at them. All are linear, keep the rank where they can, and
 * each is the adjoint of another one here: the family is closed under VJP.
 */
import { broadcastShapes, normaliseAxes, type Shape, sameShape, shapeText, sizeOf } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { apply, describe, type Node, needKind, type Op } from "../node.ts";
import { scalar, scalarOp } from "./leaf.ts";

/** Same elements, other shape. */
export const reshapeOp: Op<"reshape", { readonly shape: Shape }> = {
  name: "reshape",
  rule: ([x], { shape }) => {
    if (sizeOf(shape) !== sizeOf(x!.shape)) {
      fail({
        who: "reshape",
        must: `${shapeText(shape)} must hold ${sizeOf(x!.shape)} elements`,
        got: describe(x!),
        remedy: "Check the extents.",
      });
    }
    return { shape, kind: x!.kind };
  },
  vjp: (g, { inputs: [x] }) => [reshape(g, x!.shape)],
};

/** Axis i of the result is axis permutation[i] of the input. */
export const transposeOp: Op<"transpose", { readonly permutation: readonly number[] }> = {
  name: "transpose",
  rule: ([x], { permutation }) => {
    if (
      !sameShape(
        [...permutation].sort((a, b) => a - b),
        [...x!.shape.keys()],
      )
    ) {
      fail({
        who: "transpose",
        must: "permutation must name each axis once",
        got: `[${permutation.join(",")}] for ${describe(x!)}`,
        remedy: "Check the axes.",
      });
    }
    return { shape: permutation.map((axis) => x!.shape[axis]!), kind: x!.kind };
  },
  vjp: (g, { attrs: { permutation } }) => [transpose(g, inverse(permutation))],
};

/** Repeats axes of extent 1; equal rank. */
export const broadcastOp: Op<"broadcast", { readonly shape: Shape }> = {
  name: "broadcast",
  rule: ([x], { shape }) => {
    if (x!.shape.length !== shape.length || x!.shape.some((n, axis) => n !== 1 && n !== shape[axis])) {
      fail({
        who: "broadcast",
        must: `extents must be 1 or those of ${shapeText(shape)}`,
        got: describe(x!),
        remedy: "Reshape it first.",
      });
    }
    return { shape, kind: x!.kind };
  },
  vjp: (g, { inputs: [x], shape }) => [sum(g, axesThatDiffer(x!.shape, shape), { keepDims: true })],
};

/** Sum over axes, which keep extent 1. */
export const sumOp: Op<"sum", { readonly axes: readonly number[] }> = {
  name: "sum",
  rule: ([x], { axes }) => {
    needKind("sum", "float", [x!]);
    return { shape: x!.shape.map((n, axis) => (axes.includes(axis) ? 1 : n)), kind: "float" };
  },
  vjp: (g, { inputs: [x] }) => [broadcastTo(g, x!.shape)],
};

/** Elements starts[i] + k·steps[i], k = 0 … sizes[i] − 1, along each axis i. */
export const sliceOp: Op<"slice", SliceAttrs> = {
  name: "slice",
  rule: ([x], attrs) => {
    checkSlice("slice", x!.shape, attrs);
    return { shape: attrs.sizes, kind: x!.kind };
  },
  vjp: (g, { inputs: [x], attrs }) => [unslice(g, x!.shape, attrs.starts, attrs.steps)],
};

/** The adjoint of slice: puts the input into zeros of `shape` at starts[i] + k·steps[i]. */
export const unsliceOp: Op<"unslice", { readonly shape: Shape; readonly starts: Shape; readonly steps: Shape }> = {
  name: "unslice",
  rule: ([x], { shape, starts, steps }) => {
    needKind("unslice", "float", [x!]);
    checkSlice("unslice", shape, { starts, sizes: x!.shape, steps });
    return { shape, kind: "float" };
  },
  vjp: (g, { inputs: [x], attrs: { starts, steps } }) => [slice(g, starts, x!.shape, steps)],
};

/** Inputs end to end along one axis. */
export const concatOp: Op<"concat", { readonly axis: number }> = {
  name: "concat",
  rule: (xs, { axis }) => {
    const first = xs[0]!;
    const fits = (x: Node) =>
      x.kind === first.kind &&
      x.shape.length === first.shape.length &&
      x.shape.every((n, i) => i === axis || n === first.shape[i]);
    const wrong = xs.find((x) => !fits(x));
    if (wrong) {
      fail({
        who: "concat",
        must: `inputs must equal ${describe(first)} but for axis ${axis}`,
        got: describe(wrong),
        remedy: "Check the shapes.",
      });
    }
    const extent = xs.reduce((total, x) => total + x.shape[axis]!, 0);
    return { shape: first.shape.map((n, i) => (i === axis ? extent : n)), kind: first.kind };
  },
  vjp: (g, { inputs, attrs: { axis } }) => {
    let start = 0;
    return inputs.map((x) => {
      const part = narrow(g, axis, start, x.shape[axis]!);
      start += x.shape[axis]!;
      return part;
    });
  },
};

/** Its input, through which no gradient flows. */
export const stopGradientOp: Op<"stop-gradient", Record<never, never>> = {
  name: "stop-gradient",
  rule: ([x]) => ({ shape: x!.shape, kind: x!.kind }),
  vjp: () => [undefined],
};

/** A view of `x` with another shape of the same size; one extent may be −1 and is worked out. */
export function reshape(x: Node, shape: Shape): Node {
  const known = shape.reduce((product, n) => (n === -1 ? product : product * n), 1);
  const full = shape.map((n) => (n === -1 ? sizeOf(x.shape) / known : n));
  if (sameShape(full, x.shape)) return x;
  if (x.op === reshapeOp) return reshape(x.inputs[0]!, full);
  return apply(reshapeOp, [x], { shape: full });
}

/** `x` with its axes reordered: axis i of the result is axis permutation[i] of `x`. */
export function transpose(x: Node, permutation: readonly number[]): Node {
  if (permutation.every((axis, i) => axis === i) && permutation.length === x.shape.length) return x;
  if (x.op === transposeOp) {
    const inner = x.attrs.permutation as readonly number[];
    return transpose(
      x.inputs[0]!,
      permutation.map((axis) => inner[axis]!),
    );
  }
  return apply(transposeOp, [x], { permutation });
}

/** `x` repeated to `shape` by NumPy's rule (axes aligned at the last one). Throws when it does not fit. */
export function broadcastTo(x: Node, shape: Shape): Node {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(broadcastShapes("broadcastTo", x.shape, shape), shape)) {
    fail({
      who: "broadcastTo",
      must: `input must broadcast to ${shapeText(shape)}`,
      got: describe(x),
      remedy: "Swap the operands or reshape.",
    });
  }
  const aligned = reshape(x, [...new Array<number>(shape.length - x.shape.length).fill(1), ...x.shape]);
  if (sameShape(aligned.shape, shape)) return aligned;
  if (aligned.op === broadcastOp) return broadcastTo(aligned.inputs[0]!, shape);
  return apply(broadcastOp, [aligned], { shape });
}

/** Sum over `axes` (all when not given; negative ones count from the end); removed unless `keepDims`. */
export function sum(x: Node, axes?: readonly number[], options: { readonly keepDims?: boolean } = {}): Node {
  const over = normaliseAxes("sum", axes ?? [...x.shape.keys()], x.shape.length);
  const kept = sumKept(x, over);
  return options.keepDims ? kept : reshape(kept, without(x.shape, over));
}

/** The sum with its axes kept: over extents of 1 it is nothing, and a sum of a sum is one sum. */
function sumKept(x: Node, axes: readonly number[]): Node {
  const real = axes.filter((axis) => x.shape[axis] !== 1);
  if (real.length === 0) return x;
  if (x.op === sumOp) {
    return sumKept(x.inputs[0]!, mergeAxes(x.attrs.axes as readonly number[], real));
  }
  return apply(sumOp, [x], { axes: real });
}

function mergeAxes(a: readonly number[], b: readonly number[]): number[] {
  return [...new Set([...a, ...b])].sort((p, q) => p - q);
}

/** Elements starts[i] + k·steps[i] (k < sizes[i]) along each axis; steps default to 1. */
export function slice(x: Node, starts: Shape, sizes: Shape, steps: Shape = x.shape.map(() => 1)): Node {
  if (sameShape(sizes, x.shape)) return x;
  return apply(sliceOp, [x], { starts, sizes, steps });
}

/** The adjoint of `slice`: zeros of `shape` with `x` at starts[i] + k·steps[i]. */
export function unslice(x: Node, shape: Shape, starts: Shape, steps: Shape = shape.map(() => 1)): Node {
  if (sameShape(x.shape, shape)) return x;
  return apply(unsliceOp, [x], { shape, starts, steps });
}

/** `length` entries of one axis, from `start`. */
export function narrow(x: Node, axis: number, start: number, length: number): Node {
  return slice(
    x,
    x.shape.map((_, i) => (i === axis ? start : 0)),
    x.shape.map((n, i) => (i === axis ? length : n)),
  );
}

/** `x` surrounded by zeros: `before[i]` and `after[i]` of them along each axis, ≥ 0. */
export function pad(x: Node, before: Shape, after: Shape): Node {
  return unslice(
    x,
    x.shape.map((n, i) => n + before[i]! + after[i]!),
    before,
  );
}

/** `xs` end to end along `axis`; the other extents must agree. */
export function concat(xs: readonly Node[], axis: number): Node {
  return xs.length === 1 ? xs[0]! : apply(concatOp, [...xs], { axis }); // a copy: the caller may go on with its array
}

/** `x`, through which no gradient flows. */
export function stopGradient(x: Node): Node {
  return x.op === stopGradientOp ? x : apply(stopGradientOp, [x], {});
}

/** Zeros of a shape. */
export function zeros(shape: Shape): Node {
  return broadcastTo(scalar(0), shape);
}

/** Ones of a shape. */
export function ones(shape: Shape): Node {
  return broadcastTo(scalar(1), shape);
}

/** The one number all elements of `x` equal, if that is plain to see: a scalar, reshaped and broadcast. */
export function splatOf(x: Node): number | undefined {
  if (x.op === scalarOp) return x.attrs.value as number;
  return x.op === broadcastOp || x.op === reshapeOp ? splatOf(x.inputs[0]!) : undefined;
}

function axesThatDiffer(a: Shape, b: Shape): number[] {
  return [...a.keys()].filter((axis) => a[axis] !== b[axis]);
}

function without(shape: Shape, axes: readonly number[]): Shape {
  return shape.filter((_, axis) => !axes.includes(axis));
}

function inverse(permutation: readonly number[]): number[] {
  const out = new Array<number>(permutation.length);
  permutation.forEach((axis, i) => {
    out[axis] = i;
  });
  return out;
}

type SliceAttrs = { readonly starts: Shape; readonly sizes: Shape; readonly steps: Shape };

function checkSlice(who: string, shape: Shape, { starts, sizes, steps }: SliceAttrs): void {
  const rank = shape.length;
  const inside = (axis: number) => {
    const [start, size, step] = [starts[axis]!, sizes[axis]!, steps[axis]!];
    return start >= 0 && size >= 1 && step >= 1 && start + (size - 1) * step < shape[axis]!;
  };
  const fits = [starts, sizes, steps].every((list) => list.length === rank) && shape.every((_, axis) => inside(axis));
  if (!fits) {
    fail({
      who,
      must: `the window must lie inside ${shapeText(shape)}`,
      got: `starts ${shapeText(starts)}, sizes ${shapeText(sizes)}, steps ${shapeText(steps)}`,
      remedy: "Check starts, sizes and steps.",
    });
  }
}
