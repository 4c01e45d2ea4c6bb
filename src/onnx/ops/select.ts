/** Operators that take parts of their input, put parts together, or surround it. */
import {
  concat,
  constant,
  gather,
  greater,
  type Node,
  narrow,
  ones,
  pad,
  reshape,
  slice,
  transpose,
  where,
} from "../../graph/index.ts";
import { int64, shapeText, sizeOf } from "../../tensor/index.ts";
import { axisOf, complain, given, needText, nodeAt, nodeOf, numberAt, numbersAt, type Rule, result } from "../call.ts";
import { known } from "../value.ts";
import { checkShape } from "./shape.ts";

/** Entries of one axis by their indices: a slice where they are evenly spaced, else a gather. */
export function take(x: Node, axis: number, indices: readonly number[]): Node {
  const [first, step] = [indices[0]!, indices.length > 1 ? indices[1]! - indices[0]! : 1];
  if (step >= 1 && indices.every((at, i) => at === first + i * step)) {
    return stepped(x, axis, first, indices.length, step);
  }
  const order = [axis, ...[...x.shape.keys()].filter((i) => i !== axis)];
  const rows = gather(transpose(x, order), constant(int64([indices.length], indices)));
  const back = [...x.shape.keys()].map((i) => order.indexOf(i));
  return transpose(rows, back);
}

/** Indices that are listed, of one axis (our choice). */
export const MOST_INDICES = 1 << 16;

/** Every so many entries of one axis. */
function stepped(x: Node, axis: number, first: number, count: number, step: number): Node {
  const at = (value: number, otherwise: readonly number[]) => otherwise.map((n, i) => (i === axis ? value : n));
  const zero = x.shape.map(() => 0);
  const one = x.shape.map(() => 1);
  return slice(x, at(first, zero), at(count, x.shape), at(step, one));
}

const sliceRule: Rule = (call) => {
  const value = given(call, 0);
  const { shape } = value;
  const starts = numbersAt(call, 1) ?? [];
  const ends = numbersAt(call, 2) ?? [];
  const axes = (numbersAt(call, 3) ?? [...starts.keys()]).map((axis) => axisOf(call, axis, shape.length));
  const steps = numbersAt(call, 4) ?? starts.map(() => 1);
  if ([ends, axes, steps].some((list) => list.length !== starts.length) || steps.includes(0)) {
    return complain(
      call,
      "starts, ends, axes and steps must match, and no step be 0",
      shapeText(steps),
      "Export it again.",
    );
  }
  const picked = new Map(axes.map((axis, i) => [axis, indicesOf(shape[axis]!, starts[i]!, ends[i]!, steps[i]!)]));
  const left = shape.map((n, axis) => picked.get(axis)?.count ?? n);
  if (sizeOf(left) === 0) return known(value.type, left, new Float64Array(0));
  let x = nodeOf(call, value);
  for (const [axis, { first, step, count }] of picked) {
    if (step > 0) x = stepped(x, axis, first, count, step);
    else if (count > MOST_INDICES) return complain(call, "axes must be shorter", `${count}`, "Use smaller images.");
    else {
      const back = Array.from({ length: count }, (_, i) => first + i * step);
      x = take(x, axis, back);
    }
  }
  return result(call, x);
};

/** Which indices of n a slice takes, by the standard's clamping. */
function indicesOf(n: number, start: number, end: number, step: number) {
  const wrapped = (at: number) => (at < 0 ? at + n : at);
  const clamped = (at: number, low: number, high: number) => Math.min(high, Math.max(low, wrapped(at)));
  const first = step > 0 ? clamped(start, 0, n) : clamped(start, 0, n - 1);
  const last = step > 0 ? clamped(end, 0, n) : clamped(end, -1, n - 1);
  return { first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

const gatherRule: Rule = (call) => {
  const value = given(call, 0);
  const axis = axisOf(call, call.node.attributes.int("axis") ?? 0, value.shape.length);
  const indices = numbersAt(call, 1) ?? [];
  const n = value.shape[axis]!;
  const wrong = indices.find((at) => !Number.isInteger(at) || at < -n || at >= n);
  if (wrong !== undefined) {
    return complain(call, `indices must be within ±${n}`, `${wrong}`, "Use the image size that it was exported for.");
  }
  const shape = [...value.shape.slice(0, axis), ...given(call, 1).shape, ...value.shape.slice(axis + 1)];
  if (sizeOf(shape) === 0) return known(value.type, shape, new Float64Array(0));
  const positive = indices.map((at) => (at < 0 ? at + n : at));
  return result(call, reshape(take(nodeOf(call, value), axis, positive), shape));
};

const concatRule: Rule = (call) => {
  const values = call.inputs.map((_, i) => given(call, i));
  const first = given(call, 0);
  const axis = axisOf(call, call.node.attributes.int("axis") ?? 0, first.shape.length);
  const full = values.filter(({ node }) => node !== undefined);
  if (full.length === 0) return known(first.type, first.shape, new Float64Array(0));
  return result(
    call,
    concat(
      full.map((value) => nodeOf(call, value)),
      axis,
    ),
    first.type,
  );
};

const split: Rule = (call) => {
  const x = nodeAt(call);
  const { attributes, outputs } = call.node;
  const axis = axisOf(call, attributes.int("axis") ?? 0, x.shape.length);
  const n = x.shape[axis]!;
  const equal = Math.ceil(n / outputs.length); // the last one may be smaller
  const sizes = numbersAt(call, 1) ?? attributes.ints("split") ?? outputs.map((_, i) => Math.min(equal, n - i * equal));
  const fits = sizes.length === outputs.length && sizes.every((size) => size >= 1);
  if (!fits || sizes.reduce((a, b) => a + b, 0) !== n) {
    return complain(call, `its parts must add up to ${n}`, shapeText(sizes), "Export the model again.");
  }
  let start = 0;
  return sizes.map((size) => {
    const part = narrow(x, axis, start, size);
    start += size;
    return result(call, part);
  });
};

const padRule: Rule = (call) => {
  const x = nodeAt(call);
  const mode = needText(call, "mode", "constant", ["constant", ...POSITIONS.keys()]);
  const amounts = numbersAt(call, 1) ?? [];
  const axes = (numbersAt(call, 3) ?? [...x.shape.keys()]).map((axis) => axisOf(call, axis, x.shape.length));
  if (amounts.length !== 2 * axes.length || !amounts.every((n) => Math.abs(n) <= MOST_INDICES)) {
    return complain(call, "it must have two amounts an axis", shapeText(amounts), "Export the model again.");
  }
  const amount = (axis: number, first: number) => (axes.includes(axis) ? amounts[first + axes.indexOf(axis)]! : 0);
  const before = x.shape.map((_, axis) => amount(axis, 0));
  const after = x.shape.map((_, axis) => amount(axis, axes.length));
  checkShape(
    call,
    x.shape.map((n, axis) => n + before[axis]! + after[axis]!),
  );
  if (mode === "constant") return result(call, surrounded(x, before, after, numberAt(call, 2) ?? 0));
  const positions = POSITIONS.get(mode)!;
  let y = x;
  for (const [axis, n] of x.shape.entries()) {
    if (before[axis] === 0 && after[axis] === 0) continue;
    const count = n + before[axis]! + after[axis]!;
    if (count > MOST_INDICES) return complain(call, "padded axes must be shorter", `${count}`, "Use smaller images.");
    y = take(
      y,
      axis,
      Array.from({ length: count }, (_, i) => positions(i - before[axis]!, n)),
    );
  }
  return result(call, y);
};

const clampedTo = (at: number, n: number) => Math.min(n - 1, Math.max(0, at));
const wrapped = (at: number, n: number) => ((at % n) + n) % n;
const reflected = (at: number, n: number) => {
  const period = Math.max(1, 2 * (n - 1));
  const inside = wrapped(at, period);
  return inside < n ? inside : period - inside;
};

const POSITIONS = new Map([
  ["reflect", reflected],
  ["edge", clampedTo],
  ["wrap", wrapped],
]);

/** x between `before` and `after` elements of a value along each axis; negative amounts cut off. */
export function surrounded(x: Node, before: readonly number[], after: readonly number[], value: number): Node {
  const cut = (amount: number) => Math.max(0, -amount);
  const kept = slice(
    x,
    before.map(cut),
    x.shape.map((n, axis) => n - cut(before[axis]!) - cut(after[axis]!)),
  );
  const grow = (amounts: readonly number[]) => amounts.map((n) => Math.max(0, n));
  const padded = pad(kept, grow(before), grow(after));
  if (value === 0 || padded === kept) return padded;
  const inside = pad(ones(kept.shape), grow(before), grow(after));
  return where(greater(inside, 0.5), padded, value);
}

export const SELECT: Readonly<Record<string, Rule>> = {
  Slice: sliceRule,
  Gather: gatherRule,
  Concat: concatRule,
  Split: split,
  Pad: padRule,
};
