import ort from "onnxruntime-node";
import { expect, test } from "vitest";
import { input } from "../../src/graph/index.ts";
import { build } from "../../src/onnx/build.ts";
import { readFile } from "../../src/onnx/file.ts";
import { OPERATORS } from "../../src/onnx/ops/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import type { Tensor } from "../../src/tensor/index.ts";
import { nmse } from "../op-check.ts";
import { fileOf, type NodeOf, randomOf } from "./file-of.ts";
import { OPERATOR_CASES, type OperatorCase } from "./operators.ts";

const TOLERANCE = 1e-10; // NMSE; onnxruntime computes in float32 with sums of some 50 products, and polynomial exp and erf

test.each(OPERATOR_CASES)("$name", async (operatorCase) => {
  const { bytes, x, outputs } = fileFor(operatorCase);
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3, intraOpNumThreads: 1 });
  const expected = await session.run({ x: new ort.Tensor("float32", x.data, x.shape) });
  await session.release();

  const file = readFile(bytes, "case");
  const { values } = build(
    file,
    { ...NO_ROLES, fixed: file.initializers },
    {
      input: { name: "x", node: input("x", x.shape) },
      params: new Map(),
      buffers: {},
      mode: "eval",
      batch: { size: x.shape[0]!, exported: undefined },
    },
  );
  for (const name of outputs) {
    const node = values.get(name)!.node!;
    const golden = expected[name]!;
    expect([...node.shape], name).toEqual([...golden.dims]);
    expect(
      nmse(evaluate({ y: node }, { x }).y!.data, Float64Array.from(golden.data as Float32Array)),
      name,
    ).toBeLessThan(TOLERANCE);
  }
});

test("every operator that is read has a case, but those of shapes and numbers alone", () => {
  const seen = new Set(OPERATOR_CASES.map(({ type }) => type));
  const known = [
    "Constant",
    "Shape",
    "Size",
    "Range",
    "ConstantOfShape",
    "Cast",
    "CastLike",
    "Not",
    "And",
    "Or",
    "Xor",
  ];
  const missing = [...OPERATORS.keys()].filter((type) => !seen.has(type) && !known.includes(type));
  expect(missing).toEqual(["Upsample"]); // ended with opset 9, but is still written
});

const NO_ROLES = { params: new Map(), buffers: new Map(), modules: new Map(), bufferNames: new Map() };

function fileFor(operatorCase: OperatorCase): { bytes: Uint8Array; x: Tensor<"float32">; outputs: string[] } {
  const {
    name,
    type,
    x: shape,
    rest = [],
    attributes = {},
    opset = 17,
    outputs: count = 1,
    positive,
    domain,
  } = operatorCase;
  const x = randomOf(name, shape, (v) => (positive ? Math.abs(v) + 0.2 : v));
  const names = rest.map((tensor, i) => (tensor ? `i${i}` : ""));
  const outputs = Array.from({ length: count }, (_, i) => `y${i}`);
  const initializers = Object.fromEntries(rest.flatMap((tensor, i) => (tensor ? [[`i${i}`, tensor]] : [])));
  const node: NodeOf = { type, inputs: ["x", ...names], outputs, attributes };
  const nodes: readonly NodeOf[] =
    domain === "comparison"
      ? [
          { ...node, outputs: ["bool"] },
          { type: "Cast", inputs: ["bool"], outputs, attributes: { to: 1 } },
        ]
      : domain === "condition"
        ? [
            { type: "Cast", inputs: ["x"], outputs: ["bool"], attributes: { to: 9 } },
            { ...node, inputs: ["bool", ...names] },
          ]
        : [node];
  return { bytes: fileOf({ nodes, inputs: { x: [...shape] }, outputs, initializers, opset }), x, outputs };
}
