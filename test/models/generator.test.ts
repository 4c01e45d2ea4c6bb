import { describe, expect, test } from "vitest";
import { grad, input, mean, type Node, splatOf, topological } from "../../src/graph/index.ts";
import { buildGenerator, type Generator } from "../../src/models/index.ts";
import { countElements, initialise, inputsFor } from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

describe("images", () => {
  test.each([
    [1, 28, 28],
    [3, 32, 32],
    [3, 64, 64],
    [3, 128, 128],
    [2, 3, 9],
  ])("[%i,%i,%i]: right shape, within (0,1), different for each latent vector", (c, h, w) => {
    const { images } = generate(buildGenerator({ imageShape: [c, h, w], channels: 4, latent: 8 }));
    expect(images!.shape).toEqual([2, c, h, w]);
    expect(Math.min(...images!.data)).toBeGreaterThan(0);
    expect(Math.max(...images!.data)).toBeLessThan(1);
    const half = images!.data.length / 2;
    const difference = images!.data.subarray(0, half).map((v, i) => Math.abs(v - images!.data[half + i]!));
    expect(Math.max(...difference)).toBeGreaterThan(0.01);
    expect(spread(images!.data)).toBeGreaterThan(0.001);
  });

  test("a smaller image is the centre of the larger one of the same power of two", () => {
    const [large, small] = [32, 28].map((size) =>
      generate(buildGenerator({ imageShape: [1, size, size], channels: 4, latent: 8 })),
    );
    const at = (row: number, column: number, size: number) => row * size + column;
    for (const [row, column] of [
      [0, 0],
      [5, 20],
      [27, 27],
    ] as const) {
      expect(small!.images!.data[at(row, column, 28)]).toBe(large!.images!.data[at(row + 2, column + 2, 32)]);
    }
  });
});

test("stages stop at the image's resolution; channels halve past 32", () => {
  const { params, buffers } = buildGenerator({ imageShape: [3, 128, 128] });
  const shape = (name: string) => params.find((spec) => spec.name === name)?.shape;
  expect(shape("first.weight")).toEqual([128, 256, 4, 4]);
  expect(shape("stage32.1.conv.weight_orig")).toEqual([256, 256, 3, 3]);
  expect(shape("stage64.0.conv.weight_orig")).toEqual([128, 256, 3, 3]);
  expect(shape("stage128.1.conv.weight_orig")).toEqual([64, 64, 3, 3]);
  expect(shape("last.weight")).toEqual([3, 64, 1, 1]);
  expect(buffers.map((spec) => spec.name)).toHaveLength(12); // two convolutions at each of 4, 8, 16, 32, 64, 128
  const small = buildGenerator({ imageShape: [3, 32, 32] }).params.map((spec) => spec.name);
  expect(small).not.toContain("stage64.0.conv.weight_orig");
  // 128·256·16 + 256, eight times (256·256·9 + 2·256), 256·3 + 3
  expect(countElements(buildGenerator({ imageShape: [3, 32, 32] }).params)).toBe(5_248_003);
});

test("each block ends in a leaky ReLU of slope 0.1 on BatchNorm's output", () => {
  const { images } = symbolic(buildGenerator({ imageShape: [3, 16, 16], channels: 3, latent: 5 })).nodes;
  const leaky = topological([images]).filter((node) => node.op.name === "maximum" && node.shape.length === 4);
  expect(leaky.map((node) => node.shape[2])).toEqual([4, 4, 8, 8, 16, 16]);
  for (const { inputs } of leaky) {
    const [straight, scaled] = inputs as [Node, Node];
    expect(scaled.op.name).toBe("mul");
    expect(scaled.inputs[0]).toBe(straight);
    expect(splatOf(scaled.inputs[1]!)).toBe(0.1);
  }
});

test("every parameter gets a gradient and every buffer a next value of norm 1", () => {
  const generator = buildGenerator({ imageShape: [3, 8, 8], channels: 3, latent: 5 });
  const { params, buffers, nodes } = symbolic(generator);
  const gradients = grad(mean(nodes.images), Object.values(params));
  const named = Object.fromEntries(gradients.map((node, i) => [generator.params[i]!.name, node]));
  const results = evaluate({ ...named, ...nodes.buffers }, feeds(generator));
  for (const { name } of generator.params) {
    expect(Math.max(...results[name]!.data.map(Math.abs)), name).toBeGreaterThan(0);
  }
  expect(Object.keys(nodes.buffers)).toEqual(Object.keys(buffers));
  const start = initialise(generator, key(1)).buffers;
  for (const { name } of generator.buffers) {
    expect(Math.hypot(...start[name]!.data)).toBeCloseTo(1, 6);
    expect(Math.hypot(...results[name]!.data)).toBeCloseTo(1, 12);
    expect(results[name]!.data).not.toEqual(Float64Array.from(start[name]!.data));
  }
});

test("options are checked", () => {
  expect(() => buildGenerator({ imageShape: [3, 32, 32], chanels: 64 })).toThrow(
    'generator: option must be one of imageShape, channels, latent; got "chanels". Did you mean "channels"?',
  );
  expect(() => buildGenerator({ imageShape: [3, 32, 0] })).toThrow("generator: option imageShape must be");
  const generator = buildGenerator({ imageShape: [1, 4, 4], channels: 2, latent: 5 });
  const { params, buffers } = symbolic(generator);
  expect(() => generator.forward({ params, buffers, z: input("z", [2, 4]) })).toThrow(
    "generator: z must be [B,5]; got float[2,4].",
  );
});

function symbolic(generator: Generator) {
  const params = inputsFor(generator.params, "");
  const buffers = inputsFor(generator.buffers, "");
  return { params, buffers, nodes: generator.forward({ params, buffers, z: input("z", [2, generator.latent]) }) };
}

function feeds(generator: Generator): Tensors {
  const { params, buffers } = initialise(generator, key(1));
  return { ...params, ...buffers, z: float32([2, generator.latent], normal(key(2), 2 * generator.latent)) };
}

function generate(generator: Generator): Tensors<"float64"> {
  return evaluate({ images: symbolic(generator).nodes.images }, feeds(generator));
}

function spread(values: Float64Array): number {
  return Math.max(...values) - Math.min(...values);
}
