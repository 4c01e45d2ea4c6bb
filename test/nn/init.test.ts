import { describe, expect, test } from "vitest";
import { input } from "../../src/graph/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { declare, initialise, transposedConvLayer } from "../../src/nn/index.ts";
import { key } from "../../src/util/index.ts";

const model = buildModel("resnet10", { inputShape: [3, 16, 16], classes: 10, width: 8 });
const largest = (data: Float32Array) => data.reduce((top, v) => Math.max(top, Math.abs(v)), 0);

test("the same key gives the same values, another key others", () => {
  expect(initialise(model, key(7))).toEqual(initialise(model, key(7)));
  expect(initialise(model, key(8)).params["conv1.weight"]).not.toEqual(
    initialise(model, key(7)).params["conv1.weight"],
  );
});

test("a tensor's values depend neither on the order nor on the other tensors", () => {
  const { params, buffers } = initialise(model, key(7));
  const reversed = { params: model.params.toReversed(), buffers: model.buffers.toReversed() };
  expect(initialise(reversed, key(7))).toEqual({ params, buffers });
  const alone = { params: model.params.filter(({ name }) => name === "fc.weight"), buffers: [] };
  expect(initialise(alone, key(7)).params["fc.weight"]).toEqual(params["fc.weight"]);
});

test("tensors of one shape start apart", () => {
  const { params } = initialise(model, key(7));
  expect(params["layer1.0.conv1.weight"]!.shape).toEqual(params["layer1.0.conv2.weight"]!.shape);
  expect(params["layer1.0.conv1.weight"]!.data).not.toEqual(params["layer1.0.conv2.weight"]!.data);
});

describe("PyTorch's defaults", () => {
  const { params, buffers } = initialise(model, key(7));
  test.each([
    ["conv1.weight", 3 * 9],
    ["layer1.0.conv1.weight", 8 * 9],
    ["layer3.0.shortcut.0.weight", 16],
    ["fc.weight", 64],
  ])("%s is U(±1/√%i)", (name, fanIn) => {
    const { data } = params[name]!;
    const bound = 1 / Math.sqrt(fanIn);
    expect(largest(data)).toBeLessThanOrEqual(Math.fround(bound));
    expect(largest(data)).toBeGreaterThan(0.97 * bound); // 200 draws or more: the largest misses this with p < 0.97^200
    const variance = data.reduce((total, v) => total + v * v, 0) / data.length;
    expect(variance / (bound * bound)).toBeCloseTo(1 / 3, 1);
  });

  test("the head's bias is within ±1/√D, BatchNorm starts as the identity", () => {
    expect(largest(params["fc.bias"]!.data)).toBeLessThanOrEqual(1 / 8);
    expect(largest(params["fc.bias"]!.data)).toBeGreaterThan(0);
    expect(new Set(params["bn1.weight"]!.data)).toEqual(new Set([1]));
    expect(new Set(params["bn1.bias"]!.data)).toEqual(new Set([0]));
    expect(new Set(buffers["bn1.running_mean"]!.data)).toEqual(new Set([0]));
    expect(new Set(buffers["bn1.running_var"]!.data)).toEqual(new Set([1]));
  });
});

test("a transposed convolution takes output channels × kernel for its fan-in, as PyTorch does", () => {
  const x = input("x", [1, 50, 1, 1]);
  const { params } = initialise(
    declare((net) => transposedConvLayer(net, x, { channels: 4, kernel: 3 })),
    key(1),
  );
  for (const name of ["weight", "bias"]) expect(largest(params[name]!.data)).toBeLessThanOrEqual(Math.fround(1 / 6));
  expect(largest(params.weight!.data)).toBeGreaterThan(0.97 / 6);
});

test("lenet-sigmoid with dlg-uniform draws everything from U(±0.5)", () => {
  const options = { inputShape: [3, 32, 32], classes: 10 };
  const dlg = initialise(buildModel("lenet-sigmoid", { ...options, init: "dlg-uniform" }), key(1)).params;
  const torch = initialise(buildModel("lenet-sigmoid", options), key(1)).params;
  for (const { data } of Object.values(dlg)) expect(largest(data)).toBeLessThanOrEqual(0.5);
  for (const name of ["body.0.weight", "body.4.weight", "fc.0.weight"]) {
    expect(largest(dlg[name]!.data)).toBeGreaterThan(0.49);
    expect(largest(torch[name]!.data)).toBeLessThan(0.12); // 1/√75 = 0.1155 is the widest
  }
});
