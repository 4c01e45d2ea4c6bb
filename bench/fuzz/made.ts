/** Files of the right form with any content: what damage alone hardly ever gives. */
import { encodeModel } from "../../src/runtime/index.ts";
import type { Draws } from "./draws.ts";
import type { Format } from "./subjects.ts";
import { npz } from "./zip.ts";

export const MADE: Readonly<Record<Format, (d: Draws) => Promise<Uint8Array>>> = {
  onnx: async (d) => encodeModel(model(d)),
  npz: async (d) =>
    npz(
      many(d, 3, () => [`a${d.below(4)}.npy`, npy(d)] as const),
      d.next() < 0.5,
    ),
  safetensors: async (d) => safetensors(d),
};

function many<T>(d: Draws, most: number, make: () => T): T[] {
  return Array.from({ length: d.below(most + 1) }, make);
}

const EXTENTS = [0, 1, 1, 2, 2, 3, 4, 5, 8, -1, 64, 4096, 65_536, 2 ** 20, 2 ** 31, 2 ** 40, 2 ** 53];
const NAMES = ["x", "w", "s", "a", "b", "y", "", "__proto__", "constructor"];
const OPERATORS =
  "Conv ConvTranspose Gemm MatMul Add Mul Reshape Slice Gather Concat Split Pad Expand Tile Resize Upsample Range ConstantOfShape Constant MaxPool AveragePool GlobalAveragePool BatchNormalization InstanceNormalization GroupNormalization Softmax LogSoftmax Relu Clip PRelu Erf Transpose Squeeze Unsqueeze Flatten ReduceMean ReduceProd ReduceLogSumExp LayerNormalization LRN Pow Where Cast Shape Size DepthToSpace SpaceToDepth Tanh Identity Dropout LpNormalization Mod If toString".split(
    " ",
  );
const ATTRIBUTES =
  "axis axes perm kernel_shape pads strides dilations value to group num_groups mode epsilon alpha blocksize ceil_mode size start end keepdims transB output_shape auto_pad cubic_coeff_a nearest_mode".split(
    " ",
  );
const TEXTS = ["reflect", "edge", "wrap", "linear", "cubic", "nearest", "SAME_UPPER", "floor", "none", "DCR", "CRD"];

function model(d: Draws): object {
  const node = Array.from({ length: 1 + d.below(7) }, (_, i) => ({
    opType: d.of(OPERATORS),
    input: many(d, 4, () => d.of([...NAMES, `v${d.below(i + 1)}`, `v${i - 1}`])),
    output: [d.next() < 0.3 ? "y" : `v${i}`, ...many(d, 2, () => d.of(NAMES))],
    attribute: many(d, 4, () => attribute(d)),
  }));
  const dim = d.of([
    [1, 4],
    [2, 3, 8, 8],
    [0, 1, 4, 4],
    [1, 1, 1, 2 ** 30],
    [1, 2 ** 20],
    [1, 65_536, 1, 1],
    [1, 1, 2 ** 15, 2 ** 15],
    [3],
  ]);
  const input = [
    { name: "x", type: { tensorType: { elemType: 1, shape: { dim: dim.map((dimValue) => ({ dimValue })) } } } },
  ];
  const head = d.next() < 0.7 ? HEAD : [];
  const initializer = [
    weights(d, "w"),
    integers(d, "s"),
    matrix(d.of([1, 2, 4, 8, 64, 192])),
    ...many(d, 2, () => claimed(d)),
  ];
  return {
    opsetImport: [{ domain: "", version: d.of([11, 13, 17, 18, 22]) }],
    graph: { node: [...node, ...head], initializer, input, output: [{ name: head.length > 0 ? "logits" : "y" }] },
  };
}

/** What makes a classifier of it. */
const HEAD = [
  { opType: "Flatten", input: ["y"], output: ["flat"] },
  { opType: "MatMul", input: ["flat", "head"], output: ["logits"] },
];

function matrix(rows: number): object {
  return { name: "head", dims: [rows, 3], dataType: 1, rawData: new Uint8Array(rows * 12).fill(1) };
}

function attribute(d: Draws): object {
  const name = d.of(ATTRIBUTES);
  const integer = () => d.of([...EXTENTS, -2, -3, 7]);
  const kinds = [
    { i: integer(), type: 2 },
    { ints: many(d, 8, integer), type: 7 },
    { f: d.of([0, -1, 1e-5, 1e30, Number.NaN, Number.POSITIVE_INFINITY]), type: 1 },
    { s: new TextEncoder().encode(d.of(TEXTS)), type: 3 },
    { t: d.next() < 0.5 ? integers(d, "") : claimed(d), type: 4 },
    { ints: [3, 3], type: d.below(12) },
  ];
  return { name, ...d.of(kinds) };
}

function weights(d: Draws, name: string): object {
  const dims = many(d, 4, () => 1 + d.below(4));
  const size = dims.reduce((a, b) => a * b, 1);
  return { name, dims, dataType: 1, rawData: new Uint8Array(new Float32Array(size).fill(0.5).buffer) };
}

/** A list of extents, as shapes are given. */
function integers(d: Draws, name: string): object {
  const values = many(d, 5, () => BigInt(d.of(EXTENTS)));
  return { name, dims: [values.length], dataType: 7, rawData: new Uint8Array(BigInt64Array.from(values).buffer) };
}

/** A tensor that says of itself what it likes. */
function claimed(d: Draws): object {
  return {
    name: d.of(NAMES),
    dims: many(d, 5, () => d.of(EXTENTS)),
    dataType: d.below(20),
    rawData: d.bytes(d.below(64)),
    floatData: many(d, 4, () => d.next()),
    int64Data: many(d, 4, () => d.below(9)),
    dataLocation: d.below(3),
  };
}

function npy(d: Draws): Uint8Array {
  const descr = d.of(["<f4", "<f8", "<i8", "|b1", "|u1", "<f2", ">f4", "|O", "<f"]);
  const shape = d.of([
    `(${many(d, 4, () => d.of(EXTENTS)).join(", ")},)`,
    "()",
    "(2, 3)",
    `(${"1,".repeat(d.below(200))})`,
    "(-1,)",
    "(1e9,)",
  ]);
  const text = `{'descr': '${descr}', 'fortran_order': ${d.of(["True", "False", "None"])}, 'shape': ${shape}, }\n`;
  const head = new TextEncoder().encode(text);
  const length = d.next() < 0.9 ? head.length : d.below(65_536);
  return Uint8Array.of(
    0x93,
    0x4e,
    0x55,
    0x4d,
    0x50,
    0x59,
    1,
    0,
    length & 255,
    length >> 8,
    ...head,
    ...d.bytes(d.of([0, 4, 6, 24, 48])),
  );
}

function safetensors(d: Draws): Uint8Array {
  const offset = () => d.of([0, 0, 4, 8, 16, ...EXTENTS]);
  const entry = () => ({
    dtype: d.of(["F32", "F64", "I64", "BOOL", "U8", "F16", "BF16", "F8", 7, null]),
    shape: d.of([[], [1], [2, 2], many(d, 4, () => d.of(EXTENTS)), "2", [[1]], [1.5]]),
    data_offsets: d.of([[0, 4], [offset(), offset()], [0], "0", [4, 0]]),
  });
  const entries = many(d, 4, () => [
    d.of([...NAMES, "__metadata__"]),
    d.next() < 0.9 ? entry() : d.of([null, [], 1, {}, "x"]),
  ]);
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = d.next() < 0.9 ? json.length : d.of(EXTENTS.filter((n) => n >= 0));
  const head = new Uint8Array(8);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  return Uint8Array.of(...head, ...json, ...d.bytes(d.of([0, 4, 8, 16, 40])));
}
