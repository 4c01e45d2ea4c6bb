import { describe, expect, test } from "vitest";
import { conv, convInput, convWeight, input, type Node, slice, unslice } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { winogradPays } from "../../src/runtime/lower/winograd.ts";
import { float64, type Shape, sizeOf, type Tensors } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { nmse } from "../op-check.ts";
import { TOLERANCE } from "../tolerances.ts";

type Quad = readonly [number, number, number, number];
type Options = Parameters<typeof conv>[2];
interface Case {
  readonly about: string;
  readonly x: Quad;
  readonly w: Quad;
  readonly options?: Options;
  readonly pays?: false;
}

const K = 16; // channels: the fewest for which it is used, as 16 tiles of 4 × 4 are the fewest pixels
const SAME = { padding: 1 };
const CASES: readonly Case[] = [
  { about: "one tile an image", x: [16, K, 4, 4], w: [K, K, 3, 3] },
  { about: "two rows of tiles", x: [4, K, 8, 8], w: [K, K, 3, 3] },
  { about: "other channels out", x: [4, K + 3, 8, 8], w: [K + 1, K + 3, 3, 3] },
  { about: "three rows, one column", x: [6, K, 12, 4], w: [K, K, 3, 3] },
  { about: "the last height of bands", x: [1, K, 16, 16], w: [K, K, 3, 3] },
  { about: "whole images below each other", x: [3, K, 20, 8], w: [K, K, 3, 3] },
  { about: "one row of tiles, five columns", x: [4, K, 4, 20], w: [K, K, 3, 3] },
  { about: "larger than the matrices of all tiles serve", x: [2, K, 4, 60], w: [K, K, 3, 3] },
  { about: "the last width of these matrices", x: [2, K, 8, 56], w: [K, K, 3, 3] },
  { about: "many weights, made in blocks", x: [16, 456, 4, 4], w: [456, 456, 3, 3] },
  { about: "fewer tiles", x: [15, K, 4, 4], w: [K, K, 3, 3], pays: false },
  { about: "fewer channels in", x: [16, K - 1, 4, 4], w: [K, K - 1, 3, 3], pays: false },
  { about: "fewer channels out", x: [16, K, 4, 4], w: [K - 1, K, 3, 3], pays: false },
  { about: "odd rows", x: [16, K, 5, 4], w: [K, K, 3, 3], pays: false },
  { about: "half a tile of columns", x: [16, K, 4, 6], w: [K, K, 3, 3], pays: false },
  { about: "stride 2", x: [4, K, 8, 8], w: [K, K, 3, 3], options: { ...SAME, stride: 2 }, pays: false },
  { about: "no padding", x: [4, K, 8, 8], w: [K, K, 3, 3], options: {}, pays: false },
  { about: "dilation 2", x: [4, K, 8, 8], w: [K, K, 3, 3], options: { ...SAME, dilation: 2 }, pays: false },
  { about: "groups", x: [4, 2 * K, 8, 8], w: [2 * K, K, 3, 3], options: { ...SAME, groups: 2 }, pays: false },
  { about: "a 1×3 window", x: [4, K, 8, 8], w: [K, K, 1, 3], options: { padding: [0, 1] }, pays: false },
];

describe.each(CASES)("$about", ({ x: xShape, w: wShape, options = SAME, pays = true }) => {
  const [x, w] = [input("x", xShape), input("w", wShape)];
  const y = conv(x, w, options);
  const g = input("g", y.shape);
  const outputs = {
    y,
    dx: convInput(g, w, [xShape[2], xShape[3]], options),
    dw: convWeight(x, g, [wShape[2], wShape[3]], options),
  };

  test(pays ? "takes Winograd's form" : "takes the plain form", () => {
    expect(winogradPays(x.shape, w.shape, y.attrs as Parameters<typeof winogradPays>[2])).toBe(pays);
  });

  test("gives what the reference gives, all three at once and each alone", async () => {
    const feeds = Object.fromEntries([x, w, g].map((node, i) => [String(node.attrs.name), random(node, i)]));
    const reference = evaluate(outputs, feeds);
    const all = ["y", "dx", "dw"] as const;
    for (const names of pays ? [all, ...all.map((name) => [name])] : [all]) {
      const program = await compile(Object.fromEntries(names.map((name) => [name, outputs[name]])), { threads: 1 });
      const got = await program.run(feeds);
      await program.release();
      for (const name of names) {
        expect(nmse(got[name]!.data, reference[name]!.data as Float64Array), name).toBeLessThan(
          TOLERANCE.contractionNmse,
        );
      }
    }
  });
});

const SMALL = [4, K, 8, 8] as const;
const [X, W, G] = [input("x", SMALL), input("w", [K, K, 3, 3]), input("g", SMALL)];
const PRODUCTS = { y: conv(X, W, SAME), dx: convInput(G, W, [8, 8], SAME), dw: convWeight(X, G, [3, 3], SAME) };

/** What the form may lose against the plain one in root mean square: at most 12.5 times was measured, by the input. */
const LOSS = 20;

describe.each([
  { about: "around 0", x: (v: number) => v, g: (v: Float64Array) => v },
  { about: "around 100", x: (v: number) => 100 + v, g: (v: Float64Array) => v },
  { about: "around 100, gradients that cancel", x: (v: number) => 100 + v, g: balanced },
  { about: "behind a ReLU, gradients that cancel", x: (v: number) => Math.max(v, 0), g: balanced },
])("the rounding errors of images $about", ({ x, g }) => {
  test(`are at most ${LOSS} times those of the plain form`, async () => {
    const feeds = {
      x: rounded(SMALL, noise(X, 0).map(x)),
      w: rounded(W.shape, noise(W, 1)),
      g: rounded(SMALL, g(noise(G, 2))),
    };
    const reference = evaluate(PRODUCTS, feeds);
    const [form, plain] = [await results(PRODUCTS, feeds, 1), await results(plainProducts(), feeds, 1)];
    for (const name of ["y", "dx", "dw"] as const) {
      const [got, bound] = [form, plain].map((made) => nmse(made[name]!.data, reference[name]!.data as Float64Array));
      expect(bound, name).toBeGreaterThan(0);
      expect(got, name).toBeLessThan(LOSS ** 2 * bound!);
    }
  });
});

test("the same numbers give the same bits, and another number of threads the same but for rounding", async () => {
  const feeds = { x: random(X, 0), w: random(W, 1), g: random(G, 2) };
  const [one, two] = [await results(PRODUCTS, feeds, 1), await results(PRODUCTS, feeds, 2)];
  expect(await results(PRODUCTS, feeds, 1)).toEqual(one);
  expect(await results(PRODUCTS, feeds, 2)).toEqual(two);
  for (const name of ["y", "dx", "dw"] as const) {
    expect(nmse(two[name]!.data, Float64Array.from(one[name]!.data)), name).toBeLessThan(AS_ROUNDED);
  }
});

const AS_ROUNDED = 1e-11; // (3e-6)²: no further apart than each from the exact result; equal on AVX2

/** The same products with a ninth column of zeros, at which the tiles end: the plain form takes them. */
function plainProducts() {
  const wide = [4, K, 8, 9] as const;
  const [x, g] = [X, G].map((node) => unslice(node, wide, [0, 0, 0, 0])) as [Node, Node];
  const narrow = (node: Node) => slice(node, [0, 0, 0, 0], SMALL);
  return {
    y: narrow(conv(x, W, SAME)),
    dx: narrow(convInput(g, W, [8, 9], SAME)),
    dw: convWeight(x, g, [3, 3], SAME),
  };
}

async function results(outputs: Readonly<Record<string, Node>>, feeds: Tensors, threads: number) {
  const program = await compile(outputs, { threads });
  const made = await program.run(feeds);
  await program.release();
  return made;
}

/** Gradients of mean 0 in each channel, as they come out of a BatchNorm. */
function balanced(g: Float64Array): Float64Array {
  const [b, channels, h, w] = SMALL;
  const channel = (i: number) => Math.floor(i / (h * w)) % channels;
  const sums = g.reduce((all, v, i) => all.fill(all[channel(i)]! + v, channel(i), channel(i) + 1), new Float64Array(K));
  return g.map((v, i) => v - sums[channel(i)]! / (b * h * w));
}

/** Numbers as float32 holds them, so that the errors are those of the arithmetic alone. */
function rounded(shape: Shape, values: Float64Array) {
  return float64(shape, Float64Array.from(values, Math.fround));
}

function random(node: Node, seed: number) {
  return float64(node.shape, noise(node, seed));
}

function noise(node: Node, seed: number): Float64Array {
  return Float64Array.from(normal(key(seed), sizeOf(node.shape)));
}
