import { float32, type Shape, sizeOf, type Tensor } from "../tensor/index.ts";
import { type Key, normal, uniform } from "../util/index.ts";

/** How a tensor starts: its first values, a function of shape and key alone. */
export type Init = (shape: Shape, key: Key) => Tensor<"float32">;

/** Every element equals `value`. */
export function constantInit(value: number): Init {
  return (shape) => float32(shape, new Float32Array(sizeOf(shape)).fill(value));
}

/** U(−bound, bound), bound > 0. */
export function uniformInit(bound: number): Init {
  return (shape, key) => {
    const values = new Float32Array(uniform(key, sizeOf(shape)));
    for (let i = 0; i < values.length; i++) values[i] = (2 * values[i]! - 1) * bound;
    return float32(shape, values);
  };
}

/**
 * PyTorch's default for weights and biases of linear and convolution layers: U(−1/√fanIn, 1/√fanIn), fanIn ≥ 1.
 *
 * Its kaiming_uniform with a = √5 has the bound √(6/((1 + a²)·fanIn)) = 1/√fanIn.
 * Source: PyTorch, `reset_parameters` of torch.nn.Linear and torch.nn.Conv2d.
 */
export function fanInInit(fanIn: number): Init {
  return uniformInit(1 / Math.sqrt(fanIn));
}

/** A direction drawn uniformly: N(0, 1) elements divided by their Euclidean norm. */
export const unitVectorInit: Init = (shape, key) => {
  const draws = normal(key, sizeOf(shape));
  const norm = Math.hypot(...draws);
  return float32(
    shape,
    draws.map((v) => v / norm),
  );
};
