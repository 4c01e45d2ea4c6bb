import { expect, test } from "vitest";
import {
  add,
  broadcastTo,
  concat,
  exp,
  grad,
  input,
  matmul,
  mul,
  type Node,
  narrow,
  neg,
  print,
  scalar,
  simplify,
  sub,
  sum,
  swapLast,
  topological,
  verify,
  zeros,
} from "../src/graph/index.ts";
import { evaluate } from "../src/runtime/index.ts";
import { float64, type Tensor, type Tensors } from "../src/tensor/index.ts";
import { FedleakError, key, normal } from "../src/util/index.ts";

const x = input("x", [2, 3]);
const y = input("y", [2, 3]);

test("equal nodes are the same object", () => {
  expect(add(exp(x), y)).toBe(add(exp(x), y));
  expect(add(x, y)).not.toBe(add(y, x));
});

test("trivial arithmetic builds no nodes", () => {
  expect(mul(x, 1)).toBe(x);
  expect(add(x, 0)).toBe(x);
  expect(neg(neg(x))).toBe(x);
  expect(mul(x, 0)).toBe(zeros([2, 3]));
  expect(sub(add(scalar(2), 3), 5)).toBe(scalar(0));
});

test("a graph prints readably, numbered by itself alone", () => {
  expect(print([sum(mul(exp(x), y))])).toBe(
    [
      "%0 = input {name x} float[2,3]",
      "%1 = exp(%0) float[2,3]",
      "%2 = input {name y} float[2,3]",
      "%3 = mul(%1, %2) float[2,3]",
      "%4 = sum(%3) {axes 0×1} float[1,1]",
      "%5 = reshape(%4) float[]",
      "return %5",
    ].join("\n"),
  );
});

test("a graph and its gradient do not depend on which nodes were alive before", () => {
  const build = (a: Node, b: Node) => print(grad(sum(mul(exp(mul(a, b)), add(a, b))), [a, b]));
  const first = build(x, y);
  const [p, q] = [input("p", [2, 3]), input("q", [2, 3])];
  const alive = [exp(q), add(p, q), mul(p, q)]; // the same nodes as build's, born in another order
  const second = build(p, q).replaceAll("name p", "name x").replaceAll("name q", "name y");
  expect(alive).toHaveLength(3);
  expect(second).toBe(first);
});

test("the gradient by what y does not depend on is zero", () => {
  expect(grad(sum(x), [y])[0]).toBe(zeros([2, 3]));
});

test("grad wants a scalar, verify one node a name; both say so", () => {
  expect(() => grad(x, [x])).toThrow(/grad: y must be a scalar; got float\[2,3\]\. Sum it first/);
  const twin = input("x", [3]);
  expect(() => verify([sum(x), sum(twin)])).toThrow(FedleakError);
});

test("simplify collects like terms and takes factors out of sums, and the value stays the same", () => {
  const a = broadcastTo(input("a", [2, 1]), [2, 3]);
  const b = broadcastTo(input("b", [2, 1]), [2, 3]);
  const like = add(sub(mul(x, a), y), mul(x, b)); // x·(a + b) − y
  const sums = sum(add(mul(mul(x, a), y), neg(a)), [1]); // a·Σxy − 3a
  const feeds = { x: filled(6, 1), y: filled(6, 2), a: filled(2, 3), b: filled(2, 4) };
  const outputs = { like, sums };
  const [p, q] = simplify([like, sums]) as [Node, Node];
  expect(evaluate({ like: p, sums: q }, feeds)).toEqual(expect.objectContaining(closeTo(evaluate(outputs, feeds))));
  const passes = (node: Node) => topological([node]).filter((n) => n.shape.join() === "2,3" && n.op.name === "mul");
  expect([passes(like).length, passes(p).length]).toEqual([2, 1]);
  expect([passes(sums).length, passes(q).length]).toEqual([2, 1]);
});

test("simplify takes the transpose of a product into it where that undoes another, and nowhere else", () => {
  const [a, b] = [input("x", [2, 3]), input("y", [2, 3])];
  const turned = swapLast(matmul(swapLast(a), b)); // (aᵀ·b)ᵀ = bᵀ·a
  const product = matmul(swapLast(a), b);
  const feeds = { x: filled(6, 1), y: filled(6, 2) };
  const [once] = simplify([turned]) as [Node];
  expect(evaluate({ once }, feeds)).toEqual(expect.objectContaining(closeTo(evaluate({ once: turned }, feeds))));
  expect(once).toBe(matmul(swapLast(b), a));
  expect(simplify([turned, product])).toEqual([turned, product]); // the product is wanted itself
  const plain = swapLast(matmul(a, input("z", [3, 4])));
  expect(simplify([plain])).toEqual([plain]);
});

test("simplify joins the gradients of the parts that a value was cut into, where they leave nothing out", () => {
  const parts = [0, 1, 2].map((i) => narrow(x, 1, i, 1));
  const weighted = ([a, b, c]: readonly Node[]) => sum(add(add(exp(c!), mul(exp(a!), 2)), mul(exp(b!), 3)));
  const [all] = grad(weighted(parts), [x]) as [Node];
  const [some] = grad(sum(mul(exp(parts[0]!), exp(parts[2]!))), [x]) as [Node];
  const [joined, left] = simplify([all, some]) as [Node, Node];
  const feeds = { x: filled(6, 1) };
  expect(evaluate({ all: joined }, feeds)).toEqual(expect.objectContaining(closeTo(evaluate({ all }, feeds))));
  expect(joined).toBe(concat(joined.inputs, 1));
  expect(left).toBe(some);
});

function filled(size: number, seed: number) {
  return float64(size === 6 ? [2, 3] : [2, 1], normal(key(seed), size));
}

function closeTo(values: Tensors<"float64">) {
  const near = (t: Tensor<"float64">) => ({
    ...t,
    data: expect.toSatisfy((d: Float64Array) => distance(d, t.data) < 1e-12),
  });
  return Object.fromEntries(Object.entries(values).map(([name, t]) => [name, near(t)]));
}

function distance(a: Float64Array, b: Float64Array): number {
  return Math.max(...a.map((v, i) => Math.abs(v - b[i]!)));
}
