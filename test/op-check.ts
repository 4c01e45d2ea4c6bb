import { constant, mul, type Node, sum } from "../src/graph/index.ts";
import { float64, type Shape, sizeOf, type Tensors } from "../src/tensor/index.ts";
import { key, normal, permutation, split } from "../src/util/index.ts";
import type { OpCase } from "./op-cases.ts";

/** Σ w·y with fixed random weights w: a scalar that depends on each element in its own way. */
export function probe(y: Node, label: string): Node {
  const weights = normal(split(key(7), label), sizeOf(y.shape));
  return sum(mul(y, constant(float64(y.shape.length ? y.shape : [1], weights))));
}

/** Σ(a − b)²/Σb², as ggml's operator tests use it; absolute where b is all zero. */
export function nmse(a: ArrayLike<number>, b: Float64Array): number {
  const power = b.reduce((total, v) => total + v * v, 0);
  const error = b.reduce((total, v, i) => total + (v - a[i]!) ** 2, 0);
  return power === 0 ? error : error / power;
}

/** Numbers of the case's range on a shuffled grid: no two are equal, none is near 0, so kinks are far away. */
export function feedsOf({ inputs, range = [-1, 1], name }: OpCase): Tensors<"float64"> {
  const total = inputs.reduce((n, shape) => n + sizeOf(shape), 0);
  const order = permutation(split(key(3), name), total);
  const grid = order.map((k) => range[0] + ((k + 0.5 + 0.13) / total) * (range[1] - range[0]));
  let used = 0;
  return Object.fromEntries(
    inputs.map((shape: Shape, i) => {
      const part = grid.slice(used, used + sizeOf(shape));
      used += part.length;
      return [`x${i}`, float64(shape, part)];
    }),
  );
}
