import { describe, expect, test } from "vitest";
import { batchNorm, concat, conv2d, input, type Node, narrow, reshape, sub, transpose } from "../../src/graph/index.ts";
import {
  attentionLayer,
  batchNormLayer,
  batchNormPartsLayer,
  declare,
  inputsFor,
  layerNormLayer,
  type Mode,
  normPart,
  patchLayer,
  run,
  type Scope,
} from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float64, sizeOf, type Tensor } from "../../src/tensor/index.ts";
import { key, normal, split } from "../../src/util/index.ts";

const SAME = 12; // digits: float64 throughout

const random = (shape: readonly number[], name: string): Tensor<"float64"> =>
  float64(
    [...shape],
    Float64Array.from(normal(split(key(1), name), sizeOf(shape)), (v) => (/var/.test(name) ? v * v : v)),
  );

/** A network's output on random tensors, drawn by name: nodes of one name have one value. */
function valuesOf(
  network: (net: Scope) => Node,
  inputs: Readonly<Record<string, readonly number[]>>,
  mode: Mode = "eval",
) {
  const { params, buffers } = declare(network);
  const specs = [...params, ...buffers];
  const { result } = run(network, { params: inputsFor(params, ""), buffers: inputsFor(buffers, ""), mode });
  const feeds = Object.fromEntries([
    ...specs.map(({ name, shape }) => [name, random(shape, name)] as const),
    ...Object.entries(inputs).map(([name, shape]) => [name, random(shape, name)] as const),
  ]);
  return { y: evaluate({ y: result }, feeds).y!, feeds };
}

const largest = ({ data }: Tensor) => Math.max(...[...data].map((v) => Math.abs(Number(v))));

describe("attention", () => {
  const [b, t, d, heads] = [2, 3, 4, 2];
  const x = input("x", [b, t, d]);

  test("is softmax(q·kᵀ/√d)·v of each head, heads side by side, projected", () => {
    const { y, feeds } = valuesOf((net) => attentionLayer(net, x, { heads }), { x: [b, t, d] });
    const at = (name: string, ...index: number[]) => {
      const { shape, data } = feeds[name]!;
      return data[index.reduce((offset, i, axis) => offset * shape[axis]! + i, 0)]!;
    };
    const range = (n: number) => [...Array(n).keys()];
    const total = (n: number, term: (i: number) => number) => range(n).reduce((s, i) => s + term(i), 0);
    /** part 0: queries, 1: keys, 2: values */
    const projected = (part: number, i: number, token: number, unit: number) =>
      total(d, (j) => at("x", i, token, j) * at("in_proj_weight", part * d + unit, j)) +
      at("in_proj_bias", part * d + unit);
    const width = d / heads;
    const mixed = (i: number, token: number, unit: number) => {
      const first = Math.floor(unit / width) * width; // of its head
      const scores = range(t).map((other) =>
        Math.exp(
          total(width, (u) => projected(0, i, token, first + u) * projected(1, i, other, first + u)) / Math.sqrt(width),
        ),
      );
      const sum = scores.reduce((s, v) => s + v);
      return total(t, (other) => (scores[other]! / sum) * projected(2, i, other, unit));
    };
    range(b).forEach((i) => {
      range(t).forEach((token) => {
        range(d).forEach((unit) => {
          const expected =
            total(d, (u) => mixed(i, token, u) * at("out_proj.weight", unit, u)) + at("out_proj.bias", unit);
          expect(y.data[(i * t + token) * d + unit]).toBeCloseTo(expected, SAME);
        });
      });
    });
  });

  test("the first tokens alone ask as they do among all", () => {
    const both = (net: Scope) => {
      const whole = attentionLayer(net, x, { heads });
      const { result } = run((again) => attentionLayer(again, x, { heads, queries: 1 }), {
        params: inputsFor(declare((again) => attentionLayer(again, x, { heads })).params, ""),
        buffers: {},
        mode: "eval",
      });
      expect(result.shape).toEqual([b, 1, d]);
      return sub(narrow(whole, 1, 0, 1), result);
    };
    expect(largest(valuesOf(both, { x: [b, t, d] }).y)).toBeLessThan(1e-12);
  });

  test("heads must divide the width", () => {
    expect(() => declare((net) => attentionLayer(net.at("a"), x, { heads: 3 }))).toThrow(
      "attention a: the number of heads must divide the width; got 3 heads, width 4.",
    );
  });
});

test("layer normalisation gives each token weight·(x − mean)/deviation + bias", () => {
  const x = input("x", [2, 3, 5]);
  const { y, feeds } = valuesOf((net) => layerNormLayer(net, x, 1e-6), { x: [2, 3, 5] });
  for (let token = 0; token < 6; token++) {
    const values = [...feeds.x!.data.slice(token * 5, token * 5 + 5)];
    const mean = values.reduce((s, v) => s + v) / 5;
    const variance = values.reduce((s, v) => s + (v - mean) ** 2, 0) / 5;
    values.forEach((v, i) => {
      const expected = ((v - mean) / Math.sqrt(variance + 1e-6)) * feeds.weight!.data[i]! + feeds.bias!.data[i]!;
      expect(y.data[token * 5 + i]).toBeCloseTo(expected, SAME);
    });
  }
});

test("patches are a convolution whose stride is its kernel, row by row", () => {
  const x = input("x", [2, 3, 4, 6]);
  const difference = (net: Scope) => {
    const tokens = patchLayer(net, x, { features: 5, patch: 2 });
    const map = conv2d(x, input("weight", [5, 3, 2, 2]), input("bias", [5]), { stride: 2 });
    return sub(tokens, transpose(reshape(map, [2, 5, 6]), [0, 2, 1]));
  };
  expect(largest(valuesOf(difference, { x: [2, 3, 4, 6] }).y)).toBeLessThan(1e-12);
});

test("a folded BatchNorm is the same function", () => {
  const a = input("a", [3, 2, 4, 5]);
  const difference = (net: Scope) => {
    const folded = batchNormLayer(net.at("f"), a, { folded: true });
    const tensors = { gamma: input("f.weight", [2]), beta: input("f.bias", [2]) };
    return sub(folded, batchNorm(a, tensors.gamma, tensors.beta, "batch"));
  };
  expect(largest(valuesOf(difference, { a: [3, 2, 4, 5] }, "train").y)).toBeLessThan(1e-12);
});

test.each(["train", "eval"] as const)("BatchNorm of parts is BatchNorm of their concatenation, %s mode", (mode) => {
  const parts = [input("a", [3, 2, 4, 5]), input("b", [3, 3, 4, 5])];
  const inputs = { a: [3, 2, 4, 5], b: [3, 3, 4, 5] };
  const apart = valuesOf(
    (net) =>
      batchNormPartsLayer(
        net,
        parts.map((part) => normPart(net, part)),
      ),
    inputs,
    mode,
  ).y;
  const whole = valuesOf((net) => batchNormLayer(net, concat(parts, 1)), inputs, mode).y;
  expect(apart.shape).toEqual([3, 5, 4, 5]);
  apart.data.forEach((v, i) => {
    expect(v).toBeCloseTo(whole.data[i]!, SAME);
  });
});
