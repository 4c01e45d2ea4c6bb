import { expect, test } from "vitest";
import { constantOf, dot, grad, input, type Node } from "../../src/graph/index.ts";
import {
  batchNormLayer,
  convLayer,
  declare,
  linearLayer,
  run,
  type Scope,
  spectralConvLayer,
  spectralNorm,
  transposedConvLayer,
} from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float64 } from "../../src/tensor/index.ts";

const x = input("x", [2, 4, 5, 5]);
const shapesOf = (network: (net: Scope) => Node) => {
  const { params, buffers } = declare(network);
  return Object.fromEntries([...params, ...buffers].map(({ name, shape }) => [name, shape]));
};

test("layers ask for PyTorch's tensors", () => {
  expect(shapesOf((net) => convLayer(net.at("a.b"), x, { channels: 6, kernel: 3, groups: 2 }))).toEqual({
    "a.b.weight": [6, 2, 3, 3],
    "a.b.bias": [6],
  });
  expect(shapesOf((net) => convLayer(net, x, { channels: 6, kernel: 1, bias: false }))).toEqual({
    weight: [6, 4, 1, 1],
  });
  expect(shapesOf((net) => transposedConvLayer(net, x, { channels: 6, kernel: 3 }))).toEqual({
    weight: [4, 6, 3, 3],
    bias: [6],
  });
  expect(shapesOf((net) => linearLayer(net.at("fc"), input("h", [2, 7]), 3))).toEqual({
    "fc.weight": [3, 7],
    "fc.bias": [3],
  });
  const norm = { weight: [4], bias: [4] };
  expect(shapesOf((net) => batchNormLayer(net, x))).toEqual({ ...norm, running_mean: [4], running_var: [4] });
  expect(shapesOf((net) => batchNormLayer(net, x, { track: false }))).toEqual(norm);
  expect(shapesOf((net) => spectralConvLayer(net, x, { channels: 6, kernel: 3 }))).toEqual({
    weight_orig: [6, 4, 3, 3],
    weight_u: [6],
  });
});

test("two modules of one name are refused", () => {
  const twice = (net: Scope) => linearLayer(net.at("fc"), linearLayer(net.at("fc"), input("h", [2, 3]), 3), 3);
  expect(() => declare(twice)).toThrow('network: names must differ; got "fc.weight" twice. Rename one module.');
});

test("BatchNorm reports the mean and the biased variance of each channel", () => {
  const batch = input("batch", [2, 2, 1, 2]);
  const two = (values: number[]) => constantOf([2], values);
  const { statistics } = run((net) => batchNormLayer(net.at("bn"), batch), {
    params: { "bn.weight": two([1, 1]), "bn.bias": two([0, 0]) },
    buffers: { "bn.running_mean": two([0, 0]), "bn.running_var": two([1, 1]) },
    mode: "train",
  });
  const { mean, variance, count } = statistics.bn!;
  const feeds = { batch: float64([2, 2, 1, 2], [1, 2, 10, 10, 3, 6, 10, 10]) }; // channel 0: 1,2,3,6; channel 1: 10 four times
  const values = evaluate({ mean, variance }, feeds);
  expect([...values.mean!.data]).toEqual([3, 10]);
  expect([...values.variance!.data]).toEqual([3.5, 0]); // (4 + 1 + 0 + 9)/4
  expect(count).toBe(4);
});

// A weight whose singular values are plain to see: diag(3, 2, 1) as three 1×3 rows.
const diagonal = float64([3, 3, 1, 1], [3, 0, 0, 0, 2, 0, 0, 0, 1]);
const equalParts = float64(
  [3],
  [1, 1, 1].map((v) => v / Math.sqrt(3)),
);

test("one step of spectral normalisation from equal parts estimates σ = √7", () => {
  const { weight, u } = spectralNorm(input("w", [3, 3, 1, 1]), input("u", [3]));
  const values = evaluate({ weight, u }, { w: diagonal, u: equalParts });
  // v = (3,2,1)/√14, u' = (9,4,1)/√98, σ = u'ᵀMv = √98/√14
  expect(values.weight!.data[0]).toBeCloseTo(3 / Math.sqrt(7), 12);
  [9, 4, 1].forEach((part, i) => {
    expect(values.u!.data[i]).toBeCloseTo(part / Math.sqrt(98), 12);
  });
});

test("after many steps the largest singular value of the normalised weight is 1", () => {
  const { weight, u } = spectralNorm(input("w", [3, 3, 1, 1]), input("u", [3]));
  let state = equalParts;
  for (let i = 0; i < 60; i++) state = evaluate({ u }, { w: diagonal, u: state }).u!;
  const values = [...evaluate({ weight }, { w: diagonal, u: state }).weight!.data];
  [1, 0, 0, 0, 2 / 3, 0, 0, 0, 1 / 3].forEach((expected, i) => {
    expect(values[i]).toBeCloseTo(expected, 9); // the error shrinks by (2/3)² a step: 60 steps leave 1e-21
  });
});

test("no gradient flows through the singular vectors", () => {
  const w = input("w", [3, 3, 1, 1]);
  const { weight } = spectralNorm(w, input("u", [3]));
  const c = [1, -2, 0.5, 3, 1, -1, 2, 0, 4];
  const gradient = evaluate(
    { g: grad(dot(weight, constantOf([3, 3, 1, 1], c)), [w])[0]! },
    { w: diagonal, u: equalParts },
  ).g!;
  // d(Σ c·w/σ) = c/σ − (Σ c·w)/σ²·u'vᵀ with u', v held: Σ c·w = 3 + 2 + 4
  const [left, right] = [
    [9, 4, 1],
    [3, 2, 1],
  ];
  c.forEach((value, i) => {
    const outer = (left[Math.floor(i / 3)]! * right[i % 3]!) / Math.sqrt(98 * 14);
    expect(gradient.data[i]).toBeCloseTo(value / Math.sqrt(7) - (9 / 7) * outer, 12);
  });
});
