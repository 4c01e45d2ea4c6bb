/**
 * What each op means: one short loop an op, in float64. This file *defines* the ops; the fast path is tested against it.
 * Values are flat row-major arrays; bools are 0 and 1, ints are whole numbers.
 */
import { type AttrsOf, ELEMENTWISE, type ElementwiseName, type Node, type OpName } from "../../graph/index.ts";
import { numbers, type Shape, sizeOf, stridesOf } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { convAdjointInput, convAdjointWeight, convForward } from "./convolution.ts";

export type Values = Float64Array;
/** Computes a node from the values of its inputs. */
export type Kernel<N extends OpName> = (node: Node<AttrsOf<N>>, ...inputs: Values[]) => Values;

const elementwise = Object.fromEntries(
  ELEMENTWISE.map((op) => [
    op.name,
    (_: Node, ...xs: Values[]) => xs[0]!.map((_, i) => op.of(...xs.map((x) => x[i]!))),
  ]),
) as unknown as { readonly [N in ElementwiseName]: Kernel<N> };

export const KERNELS: { readonly [N in OpName]: Kernel<N> } = {
  ...elementwise,
  input: ({ attrs: { name } }) =>
    fail({ who: "evaluate", must: `input "${name}" must be fed`, got: "nothing", remedy: "Add it to the feeds." }),
  constant: ({ attrs: { tensor } }) => new Float64Array(numbers(tensor)),
  scalar: ({ attrs: { value } }) => Float64Array.of(value),
  reshape: (_, x) => x,
  "stop-gradient": (_, x) => x,
  "with-slope": (_, y) => y,
  transpose: ({ shape, inputs, attrs: { permutation } }, x) => {
    const strides = stridesOf(inputs[0]!.shape);
    return fill(shape, (index) => x[index.reduce((at, i, axis) => at + i * strides[permutation[axis]!]!, 0)]!);
  },
  broadcast: ({ shape, inputs }, x) => fill(shape, (index) => x[clamped(index, inputs[0]!.shape)]!),
  sum: ({ shape, inputs }, x) => {
    const out = new Float64Array(sizeOf(shape));
    walk(inputs[0]!.shape, (index, at) => {
      out[clamped(index, shape)]! += x[at]!;
    });
    return out;
  },
  max: ({ shape, inputs }, x) => {
    const out = new Float64Array(sizeOf(shape)).fill(Number.NEGATIVE_INFINITY);
    walk(inputs[0]!.shape, (index, at) => {
      const to = clamped(index, shape);
      out[to] = Math.max(out[to]!, x[at]!);
    });
    return out;
  },
  "kth-largest": ({ shape, inputs, attrs: { k } }, x) => {
    const n = inputs[0]!.shape.at(-1)!;
    return new Float64Array(sizeOf(shape)).map((_, row) => x.slice(row * n, (row + 1) * n).sort()[n - k]!);
  },
  slice: ({ shape, inputs, attrs }, x) => fill(shape, (index) => x[windowed(index, inputs[0]!.shape, attrs)]!),
  unslice: ({ shape, inputs, attrs }, x) => {
    const out = new Float64Array(sizeOf(shape));
    walk(inputs[0]!.shape, (index, at) => {
      out[windowed(index, shape, attrs)] = x[at]!;
    });
    return out;
  },
  concat: ({ shape, inputs, attrs: { axis } }, ...xs) => {
    const starts = inputs.map((_, i) => inputs.slice(0, i).reduce((n, x) => n + x.shape[axis]!, 0));
    return fill(shape, (index) => {
      const which = starts.findLastIndex((start) => start <= index[axis]!);
      const inner = index.map((i, a) => (a === axis ? i - starts[which]! : i));
      return xs[which]![flat(inner, inputs[which]!.shape)]!;
    });
  },
  gather: ({ shape, inputs: [table] }, x, rows) => {
    const size = sizeOf(table!.shape.slice(1));
    return new Float64Array(sizeOf(shape)).map((_, i) => x[rows![Math.floor(i / size)]! * size + (i % size)]!);
  },
  "scatter-add": ({ shape }, values, rows) => {
    const out = new Float64Array(sizeOf(shape));
    const size = sizeOf(shape.slice(1));
    const beyond = rows!.find((row) => row < 0 || row >= shape[0]!);
    if (beyond !== undefined) {
      fail({
        who: "scatter-add",
        must: `indices must be in 0 … ${shape[0]! - 1}`,
        got: `${beyond}`,
        remedy: "Check the index.",
      });
    }
    values.forEach((value, i) => {
      out[rows![Math.floor(i / size)]! * size + (i % size)]! += value;
    });
    return out;
  },
  "max-pool-index": ({ shape, inputs: [image], attrs: { kernel, stride, padding } }, x) => {
    const [, , h, w] = image!.shape as [number, number, number, number];
    return fill(shape, ([b, c, i, j]) => {
      const plane = (b! * shape[1]! + c!) * h * w;
      let best = -1;
      for (let p = 0; p < kernel[0]; p++) {
        for (let q = 0; q < kernel[1]; q++) {
          const [r, s] = [i! * stride[0] + p - padding[0], j! * stride[1] + q - padding[1]];
          if (r < 0 || s < 0 || r >= h || s >= w) continue;
          const at = plane + r * w + s;
          if (best < 0 || x[at]! > x[best]!) best = at;
        }
      }
      return best;
    });
  },
  matmul: ({ shape, inputs: [a] }, x, y) => {
    const [m, n] = shape.slice(-2) as [number, number];
    const k = a!.shape.at(-1)!;
    return new Float64Array(sizeOf(shape)).map((_, at) => {
      const [batch, i, j] = [Math.floor(at / (m * n)), Math.floor(at / n) % m, at % n];
      let total = 0;
      for (let p = 0; p < k; p++) total += x[(batch * m + i) * k + p]! * y![(batch * k + p) * n + j]!;
      return total;
    });
  },
  conv: ({ shape, inputs: [x, w], attrs }, ...values) =>
    convForward(x!.shape, w!.shape, shape, attrs, values as [Values, Values]),
  "conv-input": ({ shape, inputs: [g, w], attrs }, ...values) =>
    convAdjointInput(shape, w!.shape, g!.shape, attrs, values as [Values, Values]),
  "conv-weight": ({ shape, inputs: [x, g], attrs }, ...values) =>
    convAdjointWeight(x!.shape, shape, g!.shape, attrs, values as [Values, Values]),
};

/** Calls `visit` with each index of `shape` and its flat position, in order. The index array is reused. */
function walk(shape: Shape, visit: (index: number[], at: number) => void): void {
  const index = new Array<number>(shape.length).fill(0);
  for (let at = 0, n = sizeOf(shape); at < n; at++) {
    visit(index, at);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
}

function fill(shape: Shape, value: (index: number[]) => number): Values {
  const out = new Float64Array(sizeOf(shape));
  walk(shape, (index, at) => {
    out[at] = value(index);
  });
  return out;
}

function flat(index: readonly number[], shape: Shape): number {
  return index.reduce((at, i, axis) => at * shape[axis]! + i, 0);
}

/** Flat position in `shape`, of equal rank, where axes of extent 1 stand for all indices. */
function clamped(index: readonly number[], shape: Shape): number {
  return index.reduce((at, i, axis) => at * shape[axis]! + (shape[axis] === 1 ? 0 : i), 0);
}

/** Flat position in `shape` of element `index` of the window that starts at `starts` and goes in `steps`. */
function windowed(index: readonly number[], shape: Shape, { starts, steps }: { starts: Shape; steps: Shape }): number {
  return index.reduce((at, i, axis) => at * shape[axis]! + starts[axis]! + i * steps[axis]!, 0);
}
