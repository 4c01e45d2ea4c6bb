/**
 * THE table of op cases. It drives: shape rule = evaluated shape; reference against central differences at order 1 and
 * 2 in float64; onnxruntime against the reference; every VJP verifies. A new op is proven by adding a line here.
 */
import {
  abs,
  add,
  avgPool,
  batchNorm,
  broadcastTo,
  cast,
  concat,
  constant,
  conv,
  convInput,
  convTranspose2d,
  convWeight,
  crossEntropy,
  div,
  equal,
  erf,
  exp,
  floor,
  gather,
  gelu,
  globalAvgPool,
  greater,
  greaterEqual,
  kthLargest,
  leakyRelu,
  linear,
  log,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  maxPool,
  mean,
  minimum,
  mul,
  type Node,
  neg,
  pad,
  pow,
  relu,
  reshape,
  resizeBicubic,
  resizeNearest,
  scatterAdd,
  sigmoid,
  sign,
  silu,
  slice,
  softmax,
  softplus,
  sqrt,
  stopGradient,
  sub,
  sum,
  tanh,
  totalVariation,
  transpose,
  unslice,
  variance,
  where,
} from "../src/graph/index.ts";
import { int64, type Shape } from "../src/tensor/index.ts";

export interface OpCase {
  readonly name: string;
  /** Shapes of the inputs, filled with numbers of `range` (default −1 … 1; no two are close, so that kinks are far). */
  readonly inputs: readonly Shape[];
  readonly build: (...inputs: Node[]) => Node;
  readonly range?: readonly [number, number];
  /** Sums of many products; compared less strictly with onnxruntime, as the order of summation differs. */
  readonly contraction?: true;
  /** The result jumps or is flat between jumps: no finite differences. */
  readonly piecewiseConstant?: true;
  /** A gradient is stopped on purpose: finite differences see more than it. */
  readonly stopped?: true;
}

const POSITIVE = [0.5, 2] as const;
const rows = (...index: number[]) => constant(int64([index.length], index));
const two = [
  [2, 3],
  [2, 3],
] as const;
const image = [2, 4, 5, 6] as const;

export const OP_CASES: readonly OpCase[] = [
  { name: "neg", inputs: [[2, 3]], build: (x) => neg(x) },
  { name: "exp", inputs: [[2, 3]], build: exp },
  { name: "log", inputs: [[2, 3]], build: log, range: POSITIVE },
  { name: "sqrt", inputs: [[2, 3]], build: sqrt, range: POSITIVE },
  { name: "abs", inputs: [[2, 3]], build: abs },
  { name: "sign", inputs: [[2, 3]], build: sign, piecewiseConstant: true },
  { name: "floor", inputs: [[2, 3]], build: (x) => floor(mul(x, 3)), piecewiseConstant: true },
  { name: "sigmoid", inputs: [[2, 3]], build: sigmoid },
  { name: "tanh", inputs: [[2, 3]], build: tanh },
  { name: "relu", inputs: [[2, 3]], build: relu },
  { name: "erf", inputs: [[2, 3]], build: erf },
  { name: "add", inputs: two, build: add },
  { name: "sub", inputs: two, build: sub },
  { name: "mul", inputs: two, build: mul },
  { name: "div", inputs: two, build: div, range: POSITIVE },
  { name: "pow by a constant", inputs: [[2, 3]], build: (x) => pow(x, 2.5), range: POSITIVE },
  { name: "pow", inputs: two, build: pow, range: POSITIVE },
  { name: "maximum", inputs: two, build: maximum },
  { name: "minimum", inputs: two, build: minimum },
  { name: "greater", inputs: two, build: (a, b) => cast(greater(a, b)), piecewiseConstant: true },
  { name: "greaterEqual", inputs: two, build: (a, b) => cast(greaterEqual(a, b)), piecewiseConstant: true },
  { name: "equal", inputs: [[2, 3]], build: (a) => cast(equal(a, max(a))), piecewiseConstant: true },
  { name: "where", inputs: two, build: (a, b) => where(greater(a, b), exp(a), mul(b, b)) },
  {
    name: "add, broadcast",
    inputs: [
      [2, 3, 4],
      [3, 1],
    ],
    build: add,
  },
  {
    name: "mul, both broadcast",
    inputs: [
      [2, 1],
      [1, 3],
    ],
    build: mul,
  },
  { name: "div by a scalar", inputs: [[2, 3]], build: (x) => div(1, add(x, 3)) },
  { name: "reshape", inputs: [[2, 6]], build: (x) => reshape(x, [3, -1]) },
  { name: "transpose", inputs: [[2, 3, 4]], build: (x) => transpose(x, [2, 0, 1]) },
  { name: "broadcastTo", inputs: [[3, 1]], build: (x) => broadcastTo(x, [2, 3, 4]) },
  { name: "sum", inputs: [[2, 3, 4]], build: (x) => sum(x, [0, 2]), contraction: true },
  { name: "sum, keepDims", inputs: [[2, 3, 4]], build: (x) => sum(x, [-1], { keepDims: true }), contraction: true },
  { name: "sum of everything", inputs: [[2, 3]], build: (x) => sum(x), contraction: true },
  { name: "max", inputs: [[2, 3, 4]], build: (x) => max(x, [1]) },
  { name: "max of everything", inputs: [[2, 3]], build: (x) => max(x) },
  { name: "kthLargest, near the top", inputs: [[2, 9]], build: (x) => kthLargest(x, 3) },
  { name: "kthLargest, near the bottom", inputs: [[2, 9]], build: (x) => kthLargest(x, 8) },
  { name: "slice", inputs: [[5, 6]], build: (x) => slice(x, [1, 2], [3, 4]) },
  { name: "slice in steps", inputs: [[7, 8]], build: (x) => slice(x, [1, 0], [3, 3], [2, 3]) },
  { name: "unslice", inputs: [[3, 4]], build: (x) => unslice(x, [5, 6], [1, 2]) },
  { name: "unslice in steps", inputs: [[3, 3]], build: (x) => unslice(x, [7, 8], [1, 0], [2, 3]) },
  { name: "pad", inputs: [[2, 3]], build: (x) => pad(x, [1, 0], [0, 2]) },
  {
    name: "concat",
    inputs: [
      [2, 3],
      [2, 1],
      [2, 2],
    ],
    build: (...xs) => concat(xs, 1),
  },
  { name: "gather", inputs: [[4, 3]], build: (x) => gather(x, rows(3, 0, 3)) },
  { name: "scatterAdd", inputs: [[3, 2]], build: (x) => scatterAdd(x, rows(1, 3, 1), 5) },
  { name: "stopGradient", inputs: [[2, 3]], build: (x) => mul(x, stopGradient(exp(x))), stopped: true },
  {
    name: "matmul",
    inputs: [
      [3, 4],
      [4, 5],
    ],
    build: matmul,
    contraction: true,
  },
  {
    name: "matmul, batched",
    inputs: [
      [2, 3, 4],
      [2, 4, 5],
    ],
    build: matmul,
    contraction: true,
  },
  {
    name: "matmul, broadcast",
    inputs: [
      [2, 3, 4],
      [4, 5],
    ],
    build: matmul,
    contraction: true,
  },
  { name: "linear", inputs: [[3, 4], [5, 4], [5]], build: linear, contraction: true },
  ...convolutions(),
  {
    name: "maxPool",
    inputs: [[2, 2, 6, 6]],
    build: (x) => maxPool(x, { kernel: [2, 2], stride: [2, 2], padding: [0, 0] }),
  },
  {
    name: "maxPool, overlapping and padded",
    inputs: [[1, 2, 7, 7]],
    build: (x) => maxPool(x, { kernel: [3, 3], stride: [2, 2], padding: [1, 1] }),
  },
  { name: "avgPool, tiles", inputs: [[2, 2, 4, 6]], build: (x) => avgPool(x, [2, 3]), contraction: true },
  { name: "avgPool", inputs: [[2, 2, 5, 6]], build: (x) => avgPool(x, [3, 3], [2, 2], [1, 1]), contraction: true },
  { name: "globalAvgPool", inputs: [image], build: globalAvgPool, contraction: true },
  { name: "mean", inputs: [[2, 3, 4]], build: (x) => mean(x, [0, 1]), contraction: true },
  { name: "variance", inputs: [[2, 3, 4]], build: (x) => variance(x, [0, 2]), contraction: true },
  {
    name: "batchNorm, train",
    inputs: [image, [4], [4]],
    build: (x, gamma, beta) => batchNorm(x, gamma, beta, "batch"),
    contraction: true,
  },
  {
    name: "batchNorm, eval",
    inputs: [image, [4], [4], [4], [4]],
    build: (x, gamma, beta, mu, root) => batchNorm(x, gamma, beta, { mean: mu, variance: add(mul(root, root), 0.5) }),
  },
  { name: "logSumExp", inputs: [[3, 5]], build: (x) => logSumExp(x), contraction: true },
  { name: "logSoftmax", inputs: [[3, 5]], build: (x) => logSoftmax(x), contraction: true },
  { name: "softmax", inputs: [[3, 5]], build: (x) => softmax(x, 0), contraction: true },
  {
    name: "crossEntropy",
    inputs: [
      [3, 5],
      [3, 5],
    ],
    build: (x, y) => crossEntropy(x, softmax(y)),
    contraction: true,
  },
  { name: "gelu", inputs: [[2, 3]], build: gelu },
  { name: "softplus", inputs: [[2, 3]], build: softplus },
  { name: "silu", inputs: [[2, 3]], build: silu },
  { name: "leakyRelu", inputs: [[2, 3]], build: (x) => leakyRelu(x, 0.1) },
  { name: "convTranspose2d", inputs: [[2, 3, 4, 4], [3, 2, 4, 4], [2]], build: upsampling, contraction: true },
  { name: "resizeNearest", inputs: [[2, 2, 3, 4]], build: (x) => resizeNearest(x, 2) },
  { name: "resizeBicubic", inputs: [[1, 2, 4, 5]], build: (x) => resizeBicubic(x, [8, 7]), contraction: true },
  { name: "totalVariation", inputs: [[2, 3, 4, 4]], build: totalVariation, contraction: true },
];

function upsampling(x: Node, weight: Node, bias: Node): Node {
  return convTranspose2d(x, weight, bias, { stride: 2, padding: 1 });
}

/** Each member of the family with stride, padding, dilation, groups and sizes that leave a remainder. */
function convolutions(): OpCase[] {
  const variants = [
    { about: "plain", x: [2, 3, 5, 6], w: [4, 3, 3, 2], options: {} },
    { about: "same size", x: [2, 3, 5, 5], w: [4, 3, 3, 3], options: { padding: 1 } },
    { about: "stride 2, padding 1", x: [2, 3, 6, 7], w: [4, 3, 3, 3], options: { stride: 2, padding: 1 } },
    { about: "stride 2, remainder", x: [2, 3, 8, 8], w: [4, 3, 3, 3], options: { stride: 2, padding: 1 } },
    { about: "dilation 2", x: [1, 2, 7, 8], w: [3, 2, 3, 3], options: { dilation: 2, padding: 2 } },
    { about: "groups 2", x: [2, 4, 5, 5], w: [6, 2, 3, 3], options: { groups: 2, padding: 1 } },
    { about: "16 channels, stride 2", x: [2, 16, 8, 8], w: [17, 16, 3, 3], options: { stride: 2, padding: 1 } },
    { about: "16 channels, tiles", x: [4, 16, 8, 8], w: [16, 16, 3, 3], options: { padding: 1 } },
    { about: "groups 2, stride 2", x: [2, 4, 6, 5], w: [2, 2, 3, 3], options: { groups: 2, stride: 2, padding: 1 } },
    { about: "depthwise", x: [2, 4, 5, 5], w: [4, 1, 3, 3], options: { groups: 4, padding: 1 } },
    { about: "1×1", x: [2, 3, 4, 4], w: [5, 3, 1, 1], options: {} },
    { about: "1×1, stride 2, padding 1", x: [1, 2, 3, 3], w: [2, 2, 1, 1], options: { stride: 2, padding: 1 } },
    { about: "1×1, stride 2", x: [2, 3, 5, 5], w: [5, 3, 1, 1], options: { stride: 2 } },
    {
      about: "uneven pairs",
      x: [1, 2, 7, 9],
      w: [2, 2, 2, 3],
      options: { stride: [2, 3], padding: [1, 0], dilation: [2, 1] },
    },
  ] as const;
  return variants.flatMap(({ about, x, w, options }): OpCase[] => {
    const kernel = [w[2], w[3]] as const;
    const size = [x[2], x[3]] as const;
    const y = conv(constantLike(x), constantLike(w), options).shape;
    return [
      { name: `conv, ${about}`, inputs: [x, w], build: (a, b) => conv(a, b, options), contraction: true },
      {
        name: `convInput, ${about}`,
        inputs: [y, w],
        build: (a, b) => convInput(a, b, size, options),
        contraction: true,
      },
      {
        name: `convWeight, ${about}`,
        inputs: [x, y],
        build: (a, b) => convWeight(a, b, kernel, options),
        contraction: true,
      },
    ];
  });
}

function constantLike(shape: Shape): Node {
  return constant({ dtype: "float32", shape, data: new Float32Array(shape.reduce((n, k) => n * k, 1)) });
}
