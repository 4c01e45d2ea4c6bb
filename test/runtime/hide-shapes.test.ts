import { expect, test } from "vitest";
import { grad, input, kthLargest, mul, type Node, reshape, square, sum } from "../../src/graph/index.ts";
import { assemble, executable } from "../../src/runtime/executable.ts";
import { lower } from "../../src/runtime/lower/index.ts";
import { hideShapes } from "../../src/runtime/onnx/hide-shapes.ts";
import { modelBytes } from "../../src/runtime/onnx/model-file.ts";
import { openSession } from "../../src/runtime/session.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { OP_CASES } from "../op-cases.ts";
import { feedsOf, probe } from "../op-check.ts";

/** The results with shapes as they are, and with shapes hidden, of a program of the same nodes. */
async function bothWays(outputs: Readonly<Record<string, Node>>, feeds: Tensors, bake: Tensors = {}) {
  const lowered = lower(outputs, bake);
  const parts = assemble(lowered, "cpu");
  const run = async (bytes: Uint8Array) => {
    // Without onnxruntime's optimiser in both: it rewrites what it can infer, which is not the question here.
    const model = executable({ ...parts, bytes, large: true }, lowered.given);
    const program = await openSession(model, { device: "cpu", threads: 1 });
    const results = await program.run(feeds);
    await program.release();
    return results;
  };
  return {
    plain: await run(parts.bytes),
    hidden: await run(modelBytes(hideShapes(lowered.graph), { inputShapes: false })),
  };
}

test.each(OP_CASES)("$name gives the same bits", async (opCase) => {
  const inputs = opCase.inputs.map((shape, i) => input(`x${i}`, shape));
  const feeds = feedsOf(opCase);
  const y = opCase.build(...inputs);
  const gradients = grad(probe(y, "p"), inputs).map((g, i) => [`g${i}`, g] as const);
  for (const bake of [{}, feeds]) {
    const { plain, hidden } = await bothWays({ y, ...Object.fromEntries(gradients) }, feeds, bake);
    expect(hidden).toEqual(plain);
  }
});

test("the k-th largest of many, which chooses between branches, gives the same bits", async () => {
  const x = input("x", [1, 100_003]); // long enough for the bracket
  const feeds = { x: float32(x.shape, normal(key(1), 100_003)) };
  const { plain, hidden } = await bothWays({ k: kthLargest(x, 5000) }, feeds);
  expect(hidden).toEqual(plain);
});

test("no value of a hidden graph has a shape that is known before it runs", () => {
  const x = input("x", [4, 6]);
  const { graph } = lower({ y: sum(mul(x, x), [0]) }, {});
  const { node, initializer } = hideShapes(graph);
  const fixed = new Set(initializer.map(({ name }) => name));
  const shapes = node.filter(({ opType }) => opType === "Reshape" || opType === "Expand").map((n) => n.input[1]!);
  expect(shapes.length).toBeGreaterThan(0);
  expect(shapes.filter((name) => fixed.has(name))).toEqual([]);
});

test("shapes of more numbers than are kept in a file elsewhere are kept there", async () => {
  const x = input("x", [720]);
  const outputs = Object.fromEntries(
    [2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20, 24, 30, 36, 40, 45, 48, 60, 72, 80, 90, 120].map((n) => [
      `y${n}`,
      reshape(sum(square(reshape(x, [1, 1, 1, 1, n, 720 / n])), [5], { keepDims: true }), [1, n, 1, 1, 1]),
    ]),
  );
  const { plain, hidden } = await bothWays(outputs, { x: float32([720], normal(key(2), 720)) });
  expect(hidden).toEqual(plain);
});
