import { expect, test } from "vitest";
import { add, input, mul, type Node, relu, sign } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { lower } from "../../src/runtime/lower/index.ts";
import { float64, sizeOf, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

const SHAPE = [2, 3, 4, 5];
const [X, Y] = [input("x", SHAPE), input("y", SHAPE)];
const [A, B] = [input("a", [1, 3, 1, 1]), input("b", [1, 3, 1, 1])];
const scaled = mul(X, A);

const kinds = (outputs: Record<string, Node>, threads = 1, device: "cpu" | "webgpu" = "cpu") =>
  lower(outputs, {}, undefined, { device, threads }).graph.node.map(({ opType }) => opType);

test.each([
  ["x·a + b", { z: add(scaled, B) }, ["BatchNormalization"]],
  ["a·x + b", { z: add(mul(A, X), B) }, ["BatchNormalization"]],
  ["x·a + b and x·a", { z: add(scaled, B), part: scaled }, ["Mul", "Add"]],
])("%s: one thread takes one pass, and gives the bits of two", async (_, outputs, expected) => {
  expect(kinds(outputs).filter((kind) => kind !== "Reshape")).toEqual(expected);
  for (const [threads, device] of [
    [0, "cpu"],
    [2, "cpu"],
    [1, "webgpu"],
  ] as const) {
    expect(kinds(outputs, threads, device)).not.toContain("BatchNormalization");
  }
  const feeds = feedsOf([X, Y, A, B]);
  const [one, two] = [await run(outputs, feeds, 1), await run(outputs, feeds, 2)];
  for (const name of Object.keys(outputs)) expect(one[name]!.data).toEqual(two[name]!.data);
  const z = (evaluate(outputs, feeds) as Record<string, { readonly data: ArrayLike<number> }>).z!.data;
  one.z!.data.forEach((value, i) => {
    expect(value).toBeCloseTo(z[i]!, 5); // sums of numbers near 1, in float32
  });
});

test("the mask of a ReLU is 1 for the smallest normal number and 0 for 0 and below", async () => {
  const x = input("x", [5]);
  const { z } = await run({ z: sign(relu(x)) }, { x: float64([5], Float64Array.of(2 ** -126, 3, 0, -3, 3e38)) }, 1);
  expect([...z!.data]).toEqual([1, 1, 0, 0, 1]);
});

test("an output that is another node's input is not copied; one that is an output twice is", () => {
  expect(kinds({ m: scaled, z: add(scaled, Y) }, 2)).toEqual(["Mul", "Add"]);
  expect(kinds({ m: scaled, n: scaled }, 2)).toEqual(["Mul", "Identity"]);
  expect(kinds({ m: X }, 2)).toEqual(["Identity"]);
});

test("a number meets a tensor whose last extent is 1 at the tensor's rank", () => {
  const { graph } = lower({ z: mul(input("s", [7, 6, 1, 1]), 0.5), t: mul(input("r", [7, 6]), 0.5) }, {});
  expect(graph.initializer.map(({ dims }) => dims)).toEqual([[1, 1, 1, 1], []]);
});

async function run(outputs: Record<string, Node>, feeds: Tensors, threads: number) {
  const program = await compile(outputs, { threads });
  const made = await program.run(feeds);
  await program.release();
  return made;
}

function feedsOf(nodes: readonly Node[]): Tensors {
  return Object.fromEntries(
    nodes.map((node, i) => [String(node.attrs.name), float64(node.shape, normal(key(i), sizeOf(node.shape)))]),
  );
}
