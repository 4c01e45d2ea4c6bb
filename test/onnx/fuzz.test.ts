import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { importGenerator, importOnnx } from "../../src/onnx/index.ts";
import { encodeModel } from "../../src/runtime/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { readOrRefuse } from "../fuzz/claims.ts";
import { requireShared } from "../shared.ts";
import { classifierFile } from "./classifier.ts";

const RUNS = Number(process.env.FEDLEAK_FUZZ_RUNS ?? 300); // 10,000 for a thorough run
const SLOWEST_MS = 5000; // for a file of a few hundred bytes, on a busy machine

/** Both importers read or refuse, and soon. */
function check(bytes: Uint8Array): void {
  const start = performance.now();
  readOrRefuse(() => importOnnx(bytes));
  readOrRefuse(() => importGenerator(bytes, { range: [0, 1] }));
  expect(performance.now() - start).toBeLessThan(SLOWEST_MS);
}

const whole = classifierFile();

describe("bytes that are no sound ONNX file", () => {
  test("truncated", () => {
    expect(readOrRefuse(() => importOnnx(whole))).toBeDefined();
    for (let length = 0; length < whole.length; length += 1 + Math.floor(whole.length / RUNS))
      check(whole.subarray(0, length));
  });

  test("with flipped bits", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(whole.length * 8 - 1), { minLength: 1, maxLength: 8 }), (flips) => {
        const bytes = Uint8Array.from(whole);
        for (const flip of flips) bytes[flip >> 3]! ^= 1 << (flip & 7);
        check(bytes);
      }),
      { numRuns: RUNS },
    );
  });

  test("random", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => check(bytes)),
      { numRuns: RUNS },
    );
  });

  test("messages of the right fields with any content", () => {
    fc.assert(
      fc.property(models, (model) => check(encodeModel(model))),
      { numRuns: RUNS },
    );
  });

  test("flipped bits in a file as PyTorch writes it", (context) => {
    const file = readFileSync(requireShared(context, "onnx/vit-cifar10-eval.onnx"));
    const few = Math.max(5, RUNS / 100); // each one builds the whole network
    fc.assert(
      fc.property(fc.array(fc.nat(200_000), { minLength: 1, maxLength: 3 }), (flips) => {
        const bytes = Uint8Array.from(file);
        for (const flip of flips) bytes[flip >> 3]! ^= 1 << (flip & 7);
        readOrRefuse(() => importOnnx(bytes));
      }),
      { numRuns: few },
    );
  });
});

describe("files that claim more than they hold", () => {
  const refused = (model: object): string => {
    try {
      importGenerator(encodeModel(model), { range: [0, 1] }); // it builds whatever leads to the output
    } catch (error) {
      expect(error).toBeInstanceOf(FedleakError);
      return (error as Error).message;
    }
    throw new Error("it was read");
  };
  const base = (graph: object) => ({ irVersion: 8, opsetImport: [{ domain: "", version: 17 }], graph });
  const x = { name: "x", type: { tensorType: { elemType: 1, shape: { dim: [{ dimValue: 1 }, { dimValue: 4 }] } } } };

  test("a tensor larger than the file", () => {
    const initializer = [{ name: "w", dims: [2 ** 40], dataType: 1, rawData: new Uint8Array(8) }];
    expect(refused(base({ initializer, input: [x] }))).toMatch(
      /tensor "w": shape \[1099511627776\] must be .*; got 2 numbers/,
    );
  });

  test("a fixed shape beyond all memory", () => {
    const initializer = [
      { name: "s", dims: [2], dataType: 7, rawData: new Uint8Array(BigInt64Array.of(1n << 30n, 1n << 30n).buffer) },
    ];
    const node = [
      { opType: "ConstantOfShape", input: ["s"], output: ["big"] },
      { opType: "MatMul", input: ["x", "big"], output: ["y"] },
    ];
    expect(refused(base({ initializer, node, input: [x], output: [{ name: "y" }] }))).toMatch(
      /ConstantOfShape .*: its result must have at most 2147483648 elements/,
    );
  });

  test("a circle, a value from nowhere, a value from two places", () => {
    const relu = (input: string, output: string) => ({ opType: "Relu", input: [input], output: [output] });
    const graph = (...node: object[]) => base({ node, input: [x], output: [{ name: "y" }] });
    expect(refused(graph(relu("y", "a"), relu("a", "y")))).toMatch(/no node may depend on itself; got a circle/);
    expect(refused(graph(relu("nowhere", "y")))).toMatch(/its input "nowhere" must exist/);
    expect(refused(graph(relu("x", "y"), relu("x", "y")))).toMatch(
      /each value must come from one place; got "y" twice/,
    );
  });

  test("a million empty nodes", () => {
    const node = Uint8Array.from({ length: 3e6 }, (_, i) => (i % 2 === 0 ? 0x0a : 0)); // field 1, of length 0
    const file = joined(Uint8Array.of(0x3a, ...varint(node.length)), node); // field 7, the graph
    const start = performance.now();
    expect(() => importOnnx(file)).toThrow(/more small parts than 3000005 bytes may hold/);
    expect(performance.now() - start).toBeLessThan(SLOWEST_MS);
  });
});

const name = fc.constantFrom("x", "w", "a", "b", "y", "", "__proto__", "constructor");
const dims = fc.array(fc.oneof(fc.nat(5), fc.constantFrom(-1, 2 ** 31, 2 ** 50)), { maxLength: 5 });
/** Sound small tensors: numbers and lists of integers. */
const soundTensors = fc
  .record({ name, shape: fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 4 }), integers: fc.boolean() })
  .map(({ name, shape, integers }) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const data = integers
      ? BigInt64Array.from({ length: size }, (_, i) => BigInt((i % 4) - 1))
      : new Float32Array(size).fill(0.5);
    return { name, dims: shape, dataType: integers ? 7 : 1, rawData: new Uint8Array(data.buffer) };
  });
const tensorMessages = fc.record({
  name,
  dims,
  dataType: fc.nat(20),
  rawData: fc.uint8Array({ maxLength: 64 }),
  floatData: fc.array(fc.float(), { maxLength: 4 }),
});
const attributes = fc.record({
  name: fc.constantFrom(
    "axis",
    "axes",
    "perm",
    "kernel_shape",
    "pads",
    "strides",
    "value",
    "to",
    "group",
    "mode",
    "epsilon",
  ),
  i: fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(2 ** 31, 2 ** 52)),
  ints: fc.array(fc.oneof(fc.integer({ min: -3, max: 9 }), fc.constantFrom(2 ** 31)), { maxLength: 4 }),
  f: fc.float(),
  s: fc.uint8Array({ maxLength: 4 }),
  t: tensorMessages,
  type: fc.constantFrom(0, 1, 2, 3, 4, 7),
});
const OPERATORS = [
  "Conv",
  "ConvTranspose",
  "Gemm",
  "MatMul",
  "Add",
  "Reshape",
  "Slice",
  "Gather",
  "Concat",
  "Split",
  "Pad",
  "Expand",
  "Tile",
  "Resize",
  "Range",
  "ConstantOfShape",
  "Constant",
  "MaxPool",
  "AveragePool",
  "BatchNormalization",
  "Softmax",
  "Relu",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "ReduceMean",
  "LayerNormalization",
  "LRN",
  "Pow",
  "Clip",
  "Cast",
  "Tanh",
  "toString",
];
const nodes = fc.record({
  opType: fc.constantFrom(...OPERATORS),
  input: fc.array(name, { maxLength: 5 }),
  output: fc.array(fc.constantFrom("y", "a", "b", ""), { maxLength: 2 }),
  attribute: fc.array(attributes, { maxLength: 4 }),
});
const inputs = fc.constantFrom([2, 4], [2, 4, 1, 1], [0, 3, 4, 4], [1, 5], [3], []).map((extents) => ({
  name: "x",
  type: { tensorType: { elemType: 1, shape: { dim: extents.map((dimValue) => ({ dimValue })) } } },
}));
const models = fc
  .record({
    node: fc.array(nodes, { maxLength: 5 }),
    initializer: fc.array(fc.oneof({ weight: 9, arbitrary: soundTensors }, { weight: 1, arbitrary: tensorMessages }), {
      maxLength: 4,
    }),
    input: fc.array(inputs, { minLength: 1, maxLength: 1 }),
  })
  .map((graph) => ({
    opsetImport: [{ domain: "", version: 13 }],
    graph: { ...graph, output: [{ name: "y" }] },
  }));

function varint(n: number): number[] {
  return n < 128 ? [n] : [(n & 127) | 128, ...varint(Math.floor(n / 128))];
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const out = new Uint8Array(a.length + b.length);
  out.set(a);
  out.set(b, a.length);
  return out;
}
