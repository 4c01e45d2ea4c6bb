import { float32, type Shape, type Tensor } from "../../src/tensor/index.ts";
import type { AttributeValue } from "./file-of.ts";
import { ints, randomOf } from "./file-of.ts";

/** One use of an operator: its first input is fed, the others are initializers; null is one that is not given. */
export interface OperatorCase {
  readonly name: string;
  readonly type: string;
  readonly x: Shape;
  readonly rest?: readonly (Tensor | null)[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly opset?: number;
  readonly outputs?: number;
  /** x positive: for logarithms and roots. */
  readonly positive?: boolean;
  readonly domain?: string;
}

const r = (label: string, ...shape: number[]) => randomOf(label, shape);
const p = (label: string, ...shape: number[]) => randomOf(label, shape, (v) => Math.abs(v) + 0.1);
const f = (...values: number[]) => float32([values.length], values);
const one = (value: number) => float32([], [value]);
const flt = (float: number) => ({ float });
const IMAGE = [2, 4, 6, 5];

type Short = readonly [
  type: string,
  x: Shape,
  rest?: readonly (Tensor | null)[],
  attributes?: OperatorCase["attributes"],
  more?: Partial<OperatorCase>,
];

const CASES: readonly Short[] = [
  // Convolutions
  ["Conv", IMAGE, [r("w", 3, 4, 3, 3), r("b", 3)], { pads: [1, 1, 1, 1] }],
  ["Conv", IMAGE, [r("w", 4, 2, 3, 2)], { group: 2, strides: [2, 1], dilations: [1, 2], pads: [1, 0, 2, 1] }],
  ["Conv", IMAGE, [r("w", 4, 1, 3, 3), r("b", 4)], { group: 4, auto_pad: "SAME_UPPER", strides: [2, 2] }],
  ["Conv", IMAGE, [r("w", 3, 4, 2, 2)], { auto_pad: "SAME_LOWER" }],
  ["Conv", IMAGE, [r("w", 3, 4, 2, 2)], { auto_pad: "VALID" }],
  ["Conv", [2, 3, 9], [r("w", 4, 3, 3), r("b", 4)], { pads: [1, 2], strides: [2] }],
  [
    "ConvTranspose",
    IMAGE,
    [r("w", 4, 3, 3, 3), r("b", 3)],
    { strides: [2, 2], pads: [1, 1, 1, 1], output_padding: [1, 1] },
  ],
  ["ConvTranspose", IMAGE, [r("w", 4, 2, 3, 2)], { group: 2, pads: [1, 0, 0, 1], dilations: [1, 2] }],
  ["ConvTranspose", IMAGE, [r("w", 4, 3, 3, 3)], { strides: [2, 2], auto_pad: "SAME_UPPER" }],
  ["ConvTranspose", IMAGE, [r("w", 4, 3, 3, 3)], { strides: [2, 2], auto_pad: "SAME_LOWER" }],
  ["ConvTranspose", IMAGE, [r("w", 4, 3, 3, 3)], { strides: [2, 3], output_shape: [12, 14] }],
  ["ConvTranspose", [2, 3, 5], [r("w", 3, 2, 4)], { strides: [2], pads: [1, 1] }],
  // Matrix products
  ["Gemm", [3, 4], [r("b", 4, 5), r("c", 5)], { alpha: flt(0.5), beta: flt(2) }],
  ["Gemm", [4, 3], [r("b", 5, 4), r("c", 3, 1)], { transA: 1, transB: 1 }],
  ["Gemm", [3, 4], [r("b", 5, 4)], { transB: 1 }],
  ["MatMul", [2, 3, 4], [r("b", 4, 5)]],
  ["MatMul", [2, 1, 3, 4], [r("b", 5, 4, 2)]],
  ["MatMul", [4], [r("b", 2, 4, 3)]],
  ["MatMul", [2, 3, 4], [r("b", 4)]],
  // Pooling
  ["MaxPool", IMAGE, [], { kernel_shape: [2, 2], strides: [2, 2] }],
  ["MaxPool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["MaxPool", IMAGE, [], { kernel_shape: [3, 2], strides: [2, 2], pads: [0, 1, 1, 0] }],
  ["MaxPool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  ["MaxPool", IMAGE, [], { kernel_shape: [2, 2], dilations: [2, 3] }],
  ["MaxPool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_UPPER" }],
  ["MaxPool", [2, 3, 9], [], { kernel_shape: [3], strides: [2] }],
  ["AveragePool", IMAGE, [], { kernel_shape: [2, 2], strides: [2, 2] }],
  ["AveragePool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  ["AveragePool", IMAGE, [], { kernel_shape: [3, 3], pads: [1, 0, 2, 1], count_include_pad: 1 }],
  ["AveragePool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  ["AveragePool", IMAGE, [], { kernel_shape: [2, 2], dilations: [2, 2] }, { opset: 19 }],
  ["AveragePool", IMAGE, [], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: "SAME_LOWER" }],
  ["GlobalAveragePool", IMAGE],
  ["GlobalMaxPool", IMAGE],
  // Normalisation
  ["BatchNormalization", IMAGE, [r("s", 4), r("b", 4), r("m", 4), p("v", 4)], { epsilon: flt(1e-3) }],
  ["BatchNormalization", [3, 4], [r("s", 4), r("b", 4), r("m", 4), p("v", 4)]],
  ["InstanceNormalization", IMAGE, [r("s", 4), r("b", 4)], { epsilon: flt(1e-2) }],
  ["LayerNormalization", [2, 3, 8], [r("s", 8), r("b", 8)]],
  ["LayerNormalization", [2, 3, 8], [r("s", 3, 8)], { axis: 1, epsilon: flt(1e-3) }],
  ["GroupNormalization", IMAGE, [r("s", 4), r("b", 4)], { num_groups: 2 }, { opset: 21 }],
  ["GroupNormalization", IMAGE, [r("s", 2), r("b", 2)], { num_groups: 2 }, { opset: 18 }],
  ["MeanVarianceNormalization", IMAGE],
  ["LpNormalization", [3, 5], [], { axis: 1, p: 1 }],
  ["LpNormalization", [3, 5], [], { axis: 0 }],
  ["LRN", [2, 7, 3, 3], [], { size: 3, alpha: flt(0.3), beta: flt(0.6), bias: flt(1.5) }],
  // Nonlinearities
  ...[
    "Relu",
    "Sigmoid",
    "Tanh",
    "Elu",
    "Selu",
    "Softplus",
    "Softsign",
    "HardSigmoid",
    "HardSwish",
    "Erf",
    "LeakyRelu",
    "Celu",
  ].map((type): Short => [type, [3, 7]]),
  ["ThresholdedRelu", [3, 7], [], { alpha: flt(0.4) }],
  ["Mish", [3, 7], [], {}, { opset: 18 }],
  ["Gelu", [3, 7], [], {}, { opset: 20 }],
  ["Gelu", [3, 7], [], { approximate: "tanh" }, { opset: 20 }],
  ["Elu", [3, 7], [], { alpha: flt(0.3) }],
  ["LeakyRelu", [3, 7], [], { alpha: flt(1.5) }],
  ["HardSigmoid", [3, 7], [], { alpha: flt(0.3), beta: flt(0.4) }],
  ["PRelu", IMAGE, [r("s", 4, 1, 1)]],
  ["Clip", [3, 7], [one(-0.5), one(0.7)]],
  ["Clip", [3, 7], [null, one(0.7)]],
  ["Clip", [3, 7], [one(0)]],
  // Softmax
  ["Softmax", [2, 3, 4]],
  ["Softmax", [2, 3, 4], [], { axis: 1 }],
  ["Softmax", [2, 3, 4], [], {}, { opset: 12 }],
  ["LogSoftmax", [2, 3, 4], [], { axis: 1 }, { opset: 11 }],
  ["LogSoftmax", [2, 3, 4]],
  // Reductions
  ...[
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceSumSquare",
    "ReduceLogSumExp",
  ].flatMap((type): Short[] => [
    [type, [2, 3, 4], [], { axes: [-1], keepdims: 0 }],
    [type, [2, 3, 4], [ints(0, 2)], {}, { opset: 18 }],
    [type, [2, 3, 4]],
  ]),
  ["ReduceSum", [2, 3, 4], [ints(1)], { keepdims: 0 }],
  ["ReduceSum", [2, 3, 4], [], { axes: [1] }, { opset: 12 }],
  ["ReduceSum", [2, 3, 4], [], { noop_with_empty_axes: 1 }],
  ["ReduceLogSum", [2, 3, 4], [], { axes: [1] }, { positive: true }],
  // Arithmetic
  ...["Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Mean"].flatMap((type): Short[] => [
    [type, [2, 3, 4], [p("b", 3, 1)]],
    [type, [3, 1], [p("b", 2, 3, 4)]],
  ]),
  ["Max", [3, 4], [r("b", 3, 4), r("c", 4)]],
  ["Mean", [3, 4], [r("b", 3, 4), r("c", 4)]],
  ...[2, 3, 0.5, -1, 1, 0, -2, 1.7, 20].map((e): Short => ["Pow", [3, 4], [one(e)], {}, { positive: true }]),
  ["Pow", [3, 1], [f(2, 2)]],
  ["Pow", [3, 2], [f(2, 3)], {}, { positive: true }],
  ...["Sqrt", "Log", "Reciprocal"].map((type): Short => [type, [3, 4], [], {}, { positive: true }]),
  ...["Exp", "Neg", "Abs", "Sign", "Floor", "Ceil", "Round", "Identity"].map((type): Short => [type, [3, 5]]),
  ["Mod", [3, 5], [p("b", 5)], { fmod: 1 }],
  ["Dropout", [3, 5]],
  ["Where", [3, 1], [r("a", 3, 4), r("b", 4)], {}, { domain: "condition" }],
  ...["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"].map(
    (type): Short => [type, [3, 4], [float32([4], [0, 1, -1, 0.5])], {}, { domain: "comparison" }],
  ),
  // Shapes
  ["Reshape", [2, 3, 4], [ints(0, -1)]],
  ["Reshape", [2, 3, 4], [ints(4, 0, 2)]],
  ["Flatten", [2, 3, 4]],
  ["Flatten", [2, 3, 4], [], { axis: -1 }],
  ["Squeeze", [2, 1, 3, 1], [ints(1)]],
  ["Squeeze", [2, 1, 3, 1]],
  ["Squeeze", [2, 1, 3, 1], [], { axes: [-1] }, { opset: 12 }],
  ["Unsqueeze", [2, 3], [ints(0, -1)]],
  ["Unsqueeze", [2, 3], [], { axes: [1, 2] }, { opset: 11 }],
  ["Transpose", [2, 3, 4], [], { perm: [1, 2, 0] }],
  ["Transpose", [2, 3, 4]],
  ["Expand", [3, 1], [ints(2, 1, 4)]],
  ["Tile", [2, 3], [ints(2, 3)]],
  ["DepthToSpace", [2, 8, 2, 3], [], { blocksize: 2 }],
  ["DepthToSpace", [2, 8, 2, 3], [], { blocksize: 2, mode: "CRD" }],
  ["SpaceToDepth", [2, 2, 4, 6], [], { blocksize: 2 }],
  // Selection
  ["Slice", [4, 6, 5], [ints(1, 0), ints(3, 2 ** 52), ints(0, 2), ints(1, 2)]],
  ["Slice", [4, 6, 5], [ints(-1, -2), ints(-100, 100), ints(1, 0), ints(-2, 1)]],
  ["Slice", [4, 6], [ints(1, 2), ints(3, 4)]],
  ["Gather", [4, 6], [ints(0, -1, 2, 2)]],
  ["Gather", [4, 6], [ints(5, 3, 1)], { axis: 1 }],
  ["Gather", [4, 6], [{ dtype: "int64", shape: [], data: BigInt64Array.of(2n) }], { axis: -1 }],
  ["Gather", [4, 6], [{ dtype: "int64", shape: [2, 2], data: BigInt64Array.of(0n, 1n, 3n, 3n) }], { axis: 1 }],
  ["Concat", [2, 3], [r("b", 2, 2), r("c", 2, 1)], { axis: -1 }],
  ["Split", [2, 6], [ints(1, 2, 3)], { axis: 1 }, { outputs: 3 }],
  ["Split", [2, 7], [], { axis: 1, num_outputs: 2 }, { outputs: 2, opset: 18 }],
  ["Split", [2, 6], [], { axis: 1, split: [4, 2] }, { outputs: 2, opset: 11 }],
  ["Pad", IMAGE, [ints(0, 1, 2, 0, 0, 0, 1, 3), one(0.7)]],
  ["Pad", IMAGE, [ints(0, 0, -1, 1, 0, 0, -2, 0)]],
  ["Pad", IMAGE, [ints(0, 0, 2, 3, 0, 0, 1, 2)], { mode: "reflect" }],
  ["Pad", IMAGE, [ints(0, 0, 2, 3, 0, 0, 1, 2)], { mode: "edge" }],
  ["Pad", IMAGE, [ints(0, 0, 2, 3, 0, 0, 1, 2)], { mode: "wrap" }, { opset: 19 }],
  ["Pad", IMAGE, [ints(1, 2), null, ints(3)], {}, { opset: 18 }],
  // Interpolation
  ...["asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"].flatMap(
    (coordinate_transformation_mode): Short[] =>
      ["nearest", "linear", "cubic"].flatMap((mode): Short[] => [
        ["Resize", IMAGE, [null, f(1, 1, 2, 1.6)], { mode, coordinate_transformation_mode }],
        ["Resize", IMAGE, [null, null, ints(2, 4, 3, 9)], { mode, coordinate_transformation_mode }],
      ]),
  ),
  [
    "Resize",
    IMAGE,
    [null, f(1, 1, 2, 1.6)],
    { mode: "linear", coordinate_transformation_mode: "half_pixel_symmetric" },
    { opset: 19 },
  ],
  ...["floor", "ceil", "round_prefer_ceil"].map(
    (nearest_mode): Short => [
      "Resize",
      IMAGE,
      [null, f(1, 1, 2, 1.6)],
      { mode: "nearest", nearest_mode, coordinate_transformation_mode: "asymmetric" },
    ],
  ),
  ["Resize", IMAGE, [null, f(1, 1, 0.5, 1.6)], { mode: "cubic", exclude_outside: 1, cubic_coeff_a: flt(-0.5) }],
  ["Resize", IMAGE, [null, f(2, 2)], { mode: "nearest", axes: [2, 3] }, { opset: 18 }],
];

export const OPERATOR_CASES: readonly OperatorCase[] = CASES.map(
  ([type, x, rest = [], attributes = {}, more = {}], i) => ({
    name: `${i}: ${type} ${JSON.stringify(attributes)}`,
    type,
    x,
    rest,
    attributes,
    ...more,
  }),
);
