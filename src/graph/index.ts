export {
  avgPool,
  batchNorm,
  conv2d,
  convTranspose2d,
  crossEntropy,
  dot,
  gelu,
  globalAvgPool,
  leakyRelu,
  linear,
  logSoftmax,
  logSumExp,
  mean,
  type NormStatistics,
  perChannel,
  resizeBicubic,
  resizeNearest,
  silu,
  softmax,
  softplus,
  square,
  totalVariation,
  variance,
} from "./build.ts";
export { grad, vjp } from "./grad.ts";
export { describe, type Kind, type Node, topological } from "./node.ts";
export { type AttrsOf, ELEMENTWISE, type ElementwiseName, OPS, type OpName } from "./ops/index.ts";
export * from "./ops/verbs.ts";
export { print } from "./print.ts";
export { simplify } from "./simplify.ts";
export { verify } from "./verify.ts";
