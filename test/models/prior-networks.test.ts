import { describe, expect, test } from "vitest";
import { add, grad, input, mean, square, sum } from "../../src/graph/index.ts";
import { buildDecoder, buildEncoder, buildRestorer } from "../../src/models/index.ts";
import { initialise, inputsFor, type ParamSpec } from "../../src/nn/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensors } from "../../src/tensor/index.ts";
import { key, normal, uniform } from "../../src/util/index.ts";

const valuesOf = (params: readonly ParamSpec[]) => initialise({ params, buffers: [] }, key(1)).params;
const draws = (shape: readonly number[], seed: number) =>
  float32(
    shape,
    normal(
      key(seed),
      shape.reduce((a, b) => a * b),
    ),
  );

describe("decoder", () => {
  test.each([
    [1, 28, 28],
    [3, 32, 32],
    [3, 33, 64],
    [2, 3, 5],
  ])("images [%i,%i,%i] within (0,1), each of its own code alone", (c, h, w) => {
    const net = buildDecoder({ imageShape: [c, h, w], channels: 2, latent: 5 });
    const run = (z: Tensors[string]) =>
      evaluate(
        { x: net.forward({ params: inputsFor(net.params, ""), z: input("z", z.shape) }) },
        { z, ...valuesOf(net.params) },
      ).x!;
    const z = draws([2, 5], 2);
    const both = run(z);
    expect(both.shape).toEqual([2, c, h, w]);
    expect(both.data.every((v) => v > 0 && v < 1)).toBe(true);
    const first = run(float32([1, 5], z.data.subarray(0, 5)));
    const half = c * h * w;
    expect(Array.from(both.data.subarray(0, half))).toEqual(Array.from(first.data)); // no normalisation by the batch
    expect(Array.from(both.data.subarray(half))).not.toEqual(Array.from(first.data));
  });

  test("told the class, it draws another image for another class", () => {
    const net = buildDecoder({ imageShape: [1, 8, 8], channels: 2, latent: 3, classes: 2 });
    const z = draws([1, 3], 4);
    const run = (labels: number[]) =>
      evaluate(
        {
          x: net.forward({ params: inputsFor(net.params, ""), z: input("z", [1, 3]), labels: input("labels", [1, 2]) }),
        },
        { z, labels: float32([1, 2], labels), ...valuesOf(net.params) },
      ).x!.data;
    expect(run([1, 0])).not.toEqual(run([0, 1]));
    expect(() => net.forward({ params: inputsFor(net.params, ""), z: input("z", [1, 3]) })).toThrow(
      /decoder: z must be \[B,3\] and labels \[B,2\]; got/,
    );
  });
});

test("every parameter of encoder, decoder and restorer has a gradient", () => {
  const decoder = buildDecoder({ imageShape: [1, 20, 17], channels: 2, latent: 3, classes: 2 });
  const encoder = buildEncoder({ imageShape: [1, 20, 17], channels: 2, latent: 3, classes: 2 });
  const restorer = buildRestorer({ colours: 1, channels: 2, blocks: 1 });
  const [images, labels] = [input("images", [2, 1, 20, 17]), input("labels", [2, 2])];
  const inputs = {
    encoder: inputsFor(encoder.params, "e."),
    decoder: inputsFor(decoder.params, "d."),
    restorer: inputsFor(restorer.params, "r."),
  };
  const code = encoder.forward({ params: inputs.encoder, images, labels });
  expect([code.mean.shape, code.logVariance.shape]).toEqual([
    [2, 3],
    [2, 3],
  ]);
  const decoded = decoder.forward({ params: inputs.decoder, z: code.mean, labels });
  const restored = restorer.forward({ params: inputs.restorer, images: decoded });
  const loss = add(mean(square(restored)), sum(square(code.logVariance)));
  const all = Object.values(inputs).flatMap((nodes) => Object.entries(nodes));
  const found = grad(
    loss,
    all.map(([, node]) => node),
  );
  const feeds = {
    images: float32(images.shape, uniform(key(7), 2 * 20 * 17)),
    labels: float32([2, 2], [1, 0, 0, 1]),
    ...rename("e.", valuesOf(encoder.params)),
    ...rename("d.", valuesOf(decoder.params)),
    ...rename("r.", valuesOf(restorer.params)),
  };
  const values = evaluate(Object.fromEntries(found.map((g, i) => [String(i), g])), feeds);
  const dead = all.flatMap(([name], i) => (values[String(i)]!.data.every((v) => v === 0) ? [name] : []));
  expect(dead).toEqual([]);
});

describe("restorer", () => {
  test.each([
    [8, 8],
    [7, 10],
    [5, 5],
  ])("%i×%i: with its last layer at zero it changes nothing; else it changes every region", (h, w) => {
    const net = buildRestorer({ colours: 2, channels: 3, blocks: 1 });
    const images = float32([1, 2, h, w], uniform(key(3), 2 * h * w));
    const run = (values: Tensors) =>
      evaluate(
        { y: net.forward({ params: inputsFor(net.params, ""), images: input("images", images.shape) }) },
        { images, ...values },
      ).y!.data;
    const values = valuesOf(net.params);
    const silent = Object.fromEntries(
      Object.entries(values).map(([name, t]) => [
        name,
        name.startsWith("last.") ? float32(t.shape, new Float32Array(t.data.length)) : t,
      ]),
    );
    expect(Array.from(run(silent))).toEqual(Array.from(images.data));
    expect(run(values).every((v, i) => v !== images.data[i])).toBe(true);
  });

  test("its correction stays in place: an image moved by two pixels gives the result moved by two pixels", () => {
    const net = buildRestorer({ colours: 1, channels: 3, blocks: 1 });
    const [size, shift] = [24, 2];
    const at = (i: number, j: number) => (i >= 10 && i < 12 && j >= 9 && j < 13 ? 1 : 0);
    const picture = (by: number) =>
      float32(
        [1, 1, size, size],
        Array.from({ length: size * size }, (_, k) => at(Math.floor(k / size) - by, (k % size) - by)),
      );
    const run = (images: Tensors[string]) =>
      evaluate(
        { y: net.forward({ params: inputsFor(net.params, ""), images: input("images", images.shape) }) },
        { images, ...valuesOf(net.params) },
      ).y!.data;
    const [still, moved] = [run(picture(0)), run(picture(shift))];
    for (let i = 8; i < 14; i++) expect(moved[(i + shift) * size + 11 + shift]).toBeCloseTo(still[i * size + 11]!, 12);
  });
});

const rename = (prefix: string, tensors: Tensors) =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [prefix + name, t]));
