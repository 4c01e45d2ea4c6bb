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

/** N(0, deviation²), deviation ≥ 0. */
export function normalInit(deviation: number): Init {
  return (shape, key) =>
    float32(
      shape,
      Float32Array.from(normal(key, sizeOf(shape)), (v) => v * deviation),
    );
}

/**
 * N(0, 2/fan), which keeps the size of signals (fan in) or of gradients (fan out) through ReLUs; fan ≥ 1.
 *
 * Source: He et al., "Delving deep into rectifiers", ICCV 2015; torch.nn.init.kaiming_normal_ for ReLU.
 */
export function heInit(fan: number): Init {
  return normalInit(Math.sqrt(2 / fan));
}

/**
 * U(±√(6/(fanIn + fanOut))); fans ≥ 1.
 *
 * Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", AISTATS 2010;
 * torch.nn.init.xavier_uniform_.
 */
export function glorotInit(fanIn: number, fanOut: number): Init {
  return uniformInit(Math.sqrt(6 / (fanIn + fanOut)));
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
